"""Whether what a model needs can be had on the node types that its cluster's file tells of."""

from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import rule_name
from reconciler.registry.outline import ClusterOutline, ModelOutline, RegistryOutline
from reconciler.registry.quoted import quoted


def fits_node_types(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Where a cluster file tells of `node_types`, one of them has the GPUs and custom resources that a model needs
    together, and all that there may be are enough for its fewest replicas."""
    for cluster in registry.clusters:
        for model in registry.models if cluster.node_types else ():
            if _serves(registry, cluster, model):
                problem = _never_fits(model, cluster)
                if problem:
                    hint = "ask for less, or describe the nodes that have it in `node_types`"
                    yield Diagnostic(model.position(), rule_name(fits_node_types), problem, hint, Severity.WARNING)


def _serves(registry: RegistryOutline, cluster: ClusterOutline, model: ModelOutline) -> bool:
    if model.clusters is None:
        return cluster.default.value or len(registry.clusters) == 1
    return any(named.value == cluster.name for named in model.clusters)


def _never_fits(model: ModelOutline, cluster: ClusterOutline) -> str | None:
    types = [kind.resources for kind in cluster.node_types]
    groups = [_scarce(group) for group in model.groups]
    for group in groups:
        if group and not any(all(kind.get(name, 0.0) >= group[name] for name in group) for kind in types):
            return f"no node type of {quoted(cluster.name)} has {_amounts(group)} on one node"
    for name in sorted({name for group in groups for name in group}):
        needed = sum(group.get(name, 0.0) for group in groups) * model.replicas
        most = sum(kind.resources.get(name, 0.0) * kind.most for kind in cluster.node_types)
        if needed > most + 1e-9:
            each = f"{model.replicas} replicas" if model.replicas > 1 else "a replica"
            return (
                f"{each} of it need {needed:.10g} {name}; the nodes of {quoted(cluster.name)} have {most:.10g} at most"
            )
    return None


def _scarce(group: Mapping[str, float]) -> dict[str, float]:
    """Without the CPUs and the memory, which nodes that nobody told of have as well."""
    return {name: amount for name, amount in group.items() if name not in ("CPU", "memory", "object_store_memory")}


def _amounts(group: Mapping[str, float]) -> str:
    order = sorted(group, key=lambda name: (name != "GPU", name))
    return " with ".join(f"{group[name]:.10g} {name}" for name in order)
