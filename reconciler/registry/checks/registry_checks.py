"""The checks that look across files."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import RegistryCheck
from reconciler.registry.checks.clusters import (
    no_cluster,
    no_default_cluster,
    several_default_clusters,
    shared_dashboard,
    unknown_cluster,
)
from reconciler.registry.checks.file_name import cluster_name
from reconciler.registry.checks.model_ids import alias_clash, application_name_collision, duplicate_model_id
from reconciler.registry.checks.node_types import fits_node_types
from reconciler.registry.checks.traffic import traffic_cycle, traffic_elsewhere, traffic_kind, unknown_traffic
from reconciler.registry.outline import RegistryOutline

REGISTRY_CHECKS: tuple[RegistryCheck, ...] = (
    alias_clash,
    application_name_collision,
    cluster_name,
    duplicate_model_id,
    traffic_cycle,
    traffic_kind,
)
"""Each misses only what a refused file would have brought."""

MODELS_CHECKS: tuple[RegistryCheck, ...] = (unknown_traffic,)
"""Each needs every model file, so they wait until none of those is refused."""

CLUSTER_CHECKS: tuple[RegistryCheck, ...] = (
    no_cluster,
    no_default_cluster,
    several_default_clusters,
    shared_dashboard,
    unknown_cluster,
    fits_node_types,
    traffic_elsewhere,
)
"""Each needs every cluster file, so they wait until none of those is refused."""


def check_registry(
    registry: RegistryOutline, *, models_complete: bool = True, clusters_complete: bool = True
) -> Iterator[Diagnostic]:
    """The problems that the checks find across files. `models_complete` is False when a model file was refused,
    `clusters_complete` when a cluster file was."""
    checks = (*REGISTRY_CHECKS, *(MODELS_CHECKS if models_complete else ()))
    for check in (*checks, *(CLUSTER_CHECKS if clusters_complete else ())):
        yield from check(registry)
