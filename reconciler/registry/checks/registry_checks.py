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
from reconciler.registry.outline import RegistryOutline

REGISTRY_CHECKS: tuple[RegistryCheck, ...] = (alias_clash, application_name_collision, cluster_name, duplicate_model_id)
"""Each misses only what a refused file would have brought."""

CLUSTER_CHECKS: tuple[RegistryCheck, ...] = (
    no_cluster,
    no_default_cluster,
    several_default_clusters,
    shared_dashboard,
    unknown_cluster,
)
"""Each needs every cluster file, so they wait until none of those is refused."""


def check_registry(registry: RegistryOutline, *, clusters_complete: bool = True) -> Iterator[Diagnostic]:
    """The problems that the checks find across files. `clusters_complete` is False when a cluster file was refused."""
    for check in (*REGISTRY_CHECKS, *(CLUSTER_CHECKS if clusters_complete else ())):
        yield from check(registry)
