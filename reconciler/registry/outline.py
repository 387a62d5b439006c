"""What the checks across files need of each file: its ids and names with their places, and none of its settings.

Plain values without pydantic, so that they can be kept from one run to the next and compared without reading a file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from reconciler.diagnostics import Position
from reconciler.registry.waivers import Waiver

if TYPE_CHECKING:
    from reconciler.registry.key_path import KeyPath
    from reconciler.registry.registry import ClusterEntry, ModelEntry
    from reconciler.registry.spec import ModelSpec

Value = TypeVar("Value", str, bool)


class Placed(NamedTuple, Generic[Value]):
    """A value and where it was written: line and column counted from 1."""

    value: Value
    line: int
    column: int


class NodeTypeOutline(NamedTuple):
    """What a node of one type has, and how many of them there may be."""

    resources: Mapping[str, float]
    most: int


@dataclass(frozen=True, slots=True)
class ModelOutline:
    """One model file as the others see it."""

    file: str
    model_id: Placed[str]
    aliases: tuple[Placed[str], ...]
    clusters: tuple[Placed[str], ...] | None
    """The clusters it names; None where it names none."""
    waivers: tuple[Waiver, ...] = ()
    line: int = 1
    column: int = 1
    groups: tuple[Mapping[str, float], ...] = ()
    """What one replica needs together on a node, for each node that it may take; nothing where it is not enabled."""
    replicas: int = 1
    """The fewest, but one at least."""
    enabled: bool = True
    kind: str = "generation"
    """`generation` or `embedding`."""
    canary: Placed[str] | None = None
    """The model that answers some of its requests."""
    fallback: Placed[str] | None = None
    """The model that answers when this one cannot."""

    def position(self, placed: Placed[str] | None = None) -> Position:
        """Where the value stands, or the start of the document."""
        return (
            Position(self.file, placed.line, placed.column) if placed else Position(self.file, self.line, self.column)
        )


@dataclass(frozen=True, slots=True)
class ClusterOutline:
    """One cluster file as the models and the other clusters see it."""

    file: str
    name: str
    owner: str
    default: Placed[bool]
    address: Placed[str]
    """Of the dashboard; empty for the embedded cluster."""
    line: int = 1
    column: int = 1
    node_types: tuple[NodeTypeOutline, ...] = ()

    def position(self, placed: Placed[str] | Placed[bool] | None = None) -> Position:
        """Where the value stands, or the start of the document."""
        return (
            Position(self.file, placed.line, placed.column) if placed else Position(self.file, self.line, self.column)
        )


@dataclass(frozen=True, slots=True)
class RegistryOutline:
    """Every model, sorted by model id, and every cluster, sorted by name. Model ids may be given twice."""

    models: tuple[ModelOutline, ...]
    clusters: tuple[ClusterOutline, ...]

    def has_default_cluster(self) -> bool:
        """Whether a model that names no cluster is served somewhere."""
        return len(self.clusters) == 1 or any(cluster.default.value for cluster in self.clusters)


def aliases(spec: "ModelSpec") -> "Iterator[tuple[KeyPath, str]]":
    """The other names of a model and of its adapters, and where they stand."""
    engine = spec.engine_config
    for index, alias in enumerate(engine.aliases):
        yield ("engine_config", "aliases", index), alias
    for number, adapter in enumerate(engine.lora_config.adapters if engine.lora_config else ()):
        for index, alias in enumerate(adapter.aliases):
            yield ("engine_config", "lora_config", "adapters", number, "aliases", index), alias


def model_outline(entry: "ModelEntry") -> ModelOutline:
    """The outline of a model."""
    engine, clusters, traffic = entry.spec.engine_config, entry.spec.clusters, entry.spec.traffic
    start = entry.position()
    return ModelOutline(
        file=entry.file,
        model_id=_placed(entry, ("engine_config", "model_id"), engine.model_id),
        aliases=tuple(_placed(entry, path, alias) for path, alias in aliases(entry.spec)),
        clusters=None
        if clusters is None
        else tuple(_placed(entry, ("clusters", i), name) for i, name in enumerate(clusters)),
        waivers=tuple(
            Waiver(entry.position(("waive", i)), waiver.rule, waiver.reason, waiver.expires)
            for i, waiver in enumerate(entry.spec.waive)
        ),
        line=start.line,
        column=start.column,
        groups=_groups(entry.spec) if entry.spec.enabled else (),
        replicas=max(entry.spec.deployment_config.autoscaling_config.min_replicas, 1),
        enabled=entry.spec.enabled,
        kind=engine.kind,
        canary=_placed(entry, ("traffic", "canary", "model"), traffic.canary.model) if traffic.canary else None,
        fallback=_placed(entry, ("traffic", "fallback"), traffic.fallback) if traffic.fallback else None,
    )


def _groups(spec: "ModelSpec") -> tuple[Mapping[str, float], ...]:
    # Not at the top: what is remembered of a file needs neither the forms nor this.
    from reconciler.registry.replica_group import replica_group

    bundles = replica_group(spec)
    if spec.scaling_config.placement_strategy != "STRICT_PACK":
        return bundles
    names = {name: None for bundle in bundles for name in bundle}
    return ({name: round(sum(bundle.get(name, 0.0) for bundle in bundles), 4) for name in names},)


def cluster_outline(entry: "ClusterEntry") -> ClusterOutline:
    """The outline of a cluster."""
    dashboard = entry.cluster.dashboard
    start = entry.position()
    return ClusterOutline(
        entry.file,
        entry.name,
        entry.cluster.owner,
        _placed(entry, ("default",), entry.cluster.default),
        _placed(entry, ("dashboard", "address"), dashboard.address) if dashboard else _placed(entry, ("local",), ""),
        start.line,
        start.column,
        tuple(
            NodeTypeOutline(kind.resources, kind.max_workers) for _, kind in sorted(entry.cluster.node_types.items())
        ),
    )


def _placed(entry: "ModelEntry | ClusterEntry", path: "KeyPath", value: Value) -> Placed[Value]:
    position = entry.position(path)
    return Placed(value, position.line, position.column)
