"""Named checks of what was written: every rule that neither the form of a file nor its types can express.

A new check is a function in the module of its topic and a line in one of the tables. Checks are pure: they get values,
return diagnostics and see no disk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, RegistryCheck, rule_name
from reconciler.registry.checks.clusters import (
    no_cluster,
    no_default_cluster,
    served_nowhere,
    several_default_clusters,
    shared_dashboard,
    unknown_cluster,
)
from reconciler.registry.checks.engine_arguments import ENGINE_ARGUMENT_CHECKS
from reconciler.registry.checks.file_name import cluster_name, file_name_convention
from reconciler.registry.checks.generation import embedding_generation, prompt_format_parts, request_defaults
from reconciler.registry.checks.mirrors import mirror_scheme, one_mirror
from reconciler.registry.checks.model_ids import (
    alias_clash,
    application_name_collision,
    duplicate_model_id,
    model_id_characters,
    reserved_model_id,
)
from reconciler.registry.checks.ray_options import RAY_OPTION_CHECKS
from reconciler.registry.checks.references import malformed_reference, misplaced_reference
from reconciler.registry.checks.replicas import initial_replicas_reset, ongoing_requests, replica_bounds
from reconciler.registry.checks.secrets import secret_literal
from reconciler.registry.registry import Registry

MODEL_CHECKS: tuple[ModelCheck, ...] = (
    embedding_generation,
    file_name_convention,
    initial_replicas_reset,
    malformed_reference,
    mirror_scheme,
    misplaced_reference,
    model_id_characters,
    one_mirror,
    ongoing_requests,
    prompt_format_parts,
    replica_bounds,
    request_defaults,
    reserved_model_id,
    secret_literal,
    served_nowhere,
    *ENGINE_ARGUMENT_CHECKS,
    *RAY_OPTION_CHECKS,
)
"""Each looks at one model file."""

REGISTRY_CHECKS: tuple[RegistryCheck, ...] = (alias_clash, application_name_collision, cluster_name, duplicate_model_id)
"""Each looks across files, and misses only what a refused file would have brought."""

CLUSTER_CHECKS: tuple[RegistryCheck, ...] = (
    no_cluster,
    no_default_cluster,
    several_default_clusters,
    shared_dashboard,
    unknown_cluster,
)
"""Each needs every cluster file, so they wait until none of those is refused."""

_ALL: tuple[Callable[[Any], Iterable[Diagnostic]], ...] = (*MODEL_CHECKS, *REGISTRY_CHECKS, *CLUSTER_CHECKS)

CHECKS: Mapping[str, Callable[[Any], Iterable[Diagnostic]]] = {rule_name(check): check for check in _ALL}
"""Every check by its rule id."""


def run_checks(registry: Registry, *, clusters_complete: bool = True) -> Iterator[Diagnostic]:
    """The problems that the checks find. `clusters_complete` is False when a cluster file was refused."""
    for entry in registry.models:
        for check_model in MODEL_CHECKS:
            yield from check_model(entry)
    for check_registry in (*REGISTRY_CHECKS, *(CLUSTER_CHECKS if clusters_complete else ())):
        yield from check_registry(registry)
