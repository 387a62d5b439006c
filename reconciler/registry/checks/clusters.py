"""Which cluster serves which model."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.checks.check import rule_name
from reconciler.registry.outline import ClusterOutline, RegistryOutline
from reconciler.registry.quoted import quoted

if TYPE_CHECKING:
    from reconciler.registry.registry import ModelEntry


def no_cluster(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Models without a cluster cannot be planned."""
    if registry.models and not registry.clusters:
        message = "no cluster is described"
        hint = "write `clusters/<name>.yaml` with `owner: ...` and `local: true` or `dashboard:`"
        yield Diagnostic(Position(registry.models[0].file), rule_name(no_cluster), message, hint)


def several_default_clusters(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """One default at most."""
    defaults = [cluster for cluster in registry.clusters if cluster.default.value]
    for cluster in defaults[1:]:
        message = f"{quoted(defaults[0].name)} is the default cluster already"
        position = cluster.position(cluster.default)
        yield Diagnostic(position, rule_name(several_default_clusters), message, "keep one `default: true`")


def no_default_cluster(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """A model that names no cluster needs a default one."""
    if not registry.clusters or registry.has_default_cluster():
        return
    for model in registry.models:
        if model.clusters is None:
            message = "the model names no cluster, and none is the default"
            hint = "write `clusters:` here, or `default: true` in one of the cluster files"
            yield Diagnostic(model.position(), rule_name(no_default_cluster), message, hint)


def unknown_cluster(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Every cluster that a model names has a file."""
    names = [cluster.name for cluster in registry.clusters]
    for model in registry.models:
        for named in model.clusters or ():
            if named.value not in names:
                near = get_close_matches(named.value, names, n=1)
                known = ", ".join(quoted(each) for each in names) or "none"
                hint = f"did you mean {quoted(near[0])}?" if near else f"known clusters: {known}"
                message = f"there is no cluster {quoted(named.value)}"
                yield Diagnostic(model.position(named), rule_name(unknown_cluster), message, hint)


def served_nowhere(entry: "ModelEntry") -> Iterable[Diagnostic]:
    """An enabled model with an empty list of clusters is written for nothing."""
    if entry.spec.enabled and entry.spec.clusters == []:
        message = "the model is enabled, and its list of clusters is empty: no cluster serves it"
        hint = "name a cluster, or write `enabled: false`"
        yield Diagnostic(entry.position(("clusters",)), rule_name(served_nowhere), message, hint, Severity.WARNING)


def shared_dashboard(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Two cluster files with one owner on one Ray cluster would each delete what the other deploys."""
    first: dict[tuple[str, str], ClusterOutline] = {}
    for cluster in registry.clusters:
        address = cluster.address.value.rstrip("/").lower()
        other = first.setdefault((address, cluster.owner), cluster)
        if other is not cluster:
            message = f"{quoted(other.name)} describes the same Ray cluster with the same owner"
            position = cluster.position(cluster.address)
            yield Diagnostic(position, rule_name(shared_dashboard), message, "remove one of the two files")
