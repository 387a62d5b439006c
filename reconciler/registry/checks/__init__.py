"""Named checks of what was written: every rule that neither the form of a file nor its types can express.

A new check is a function in the module of its topic and a line in one of the tables. Checks are pure: they get values,
return diagnostics and see no disk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, RegistryCheck, rule_name
from reconciler.registry.registry import Registry

MODEL_CHECKS: tuple[ModelCheck, ...] = ()
"""Each looks at one model file."""

REGISTRY_CHECKS: tuple[RegistryCheck, ...] = ()
"""Each looks across model files."""

CLUSTER_CHECKS: tuple[RegistryCheck, ...] = ()
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
