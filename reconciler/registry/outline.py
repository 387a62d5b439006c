"""What the checks across files need of each file: its ids and names with their places, and none of its settings.

Plain values without pydantic, so that they can be kept from one run to the next and compared without reading a file.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from reconciler.diagnostics import Position
from reconciler.registry.waivers import Waiver

if TYPE_CHECKING:
    from reconciler.registry.registry import ClusterEntry, KeyPath, ModelEntry

Value = TypeVar("Value", str, bool)


class Placed(NamedTuple, Generic[Value]):
    """A value and where it was written: line and column counted from 1."""

    value: Value
    line: int
    column: int


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


def model_outline(entry: "ModelEntry") -> ModelOutline:
    """The outline of a model."""
    engine, clusters = entry.spec.engine_config, entry.spec.clusters
    start = entry.position()
    return ModelOutline(
        file=entry.file,
        model_id=_placed(entry, ("engine_config", "model_id"), engine.model_id),
        aliases=tuple(_placed(entry, ("engine_config", "aliases", i), alias) for i, alias in enumerate(engine.aliases)),
        clusters=None
        if clusters is None
        else tuple(_placed(entry, ("clusters", i), name) for i, name in enumerate(clusters)),
        waivers=tuple(
            Waiver(entry.position(("waive", i)), waiver.rule, waiver.reason, waiver.expires)
            for i, waiver in enumerate(entry.spec.waive)
        ),
        line=start.line,
        column=start.column,
    )


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
    )


def _placed(entry: "ModelEntry | ClusterEntry", path: "KeyPath", value: Value) -> Placed[Value]:
    position = entry.position(path)
    return Placed(value, position.line, position.column)
