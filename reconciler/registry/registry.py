"""The registry as a value: every model and cluster, each with the place it was written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.diagnostics import Position
from reconciler.registry.key_path import KeyPath
from reconciler.registry.weights import Weights

if TYPE_CHECKING:
    # What only needs places and paths does not pay for the forms.
    from reconciler.registry.cluster import Cluster
    from reconciler.registry.dialects.translation import KeyFate
    from reconciler.registry.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model file: its path as shown to people, its canonical form and where each of its keys stands."""

    file: str
    spec: "ModelSpec"
    positions: Mapping[KeyPath, Position] = field(default_factory=dict, compare=False)
    """The place of each canonical key, in whichever dialect it was written."""
    dialect: str = field(default="canonical", compare=False)
    fates: "tuple[KeyFate, ...]" = field(default=(), compare=False)
    """What became of each key of the file; empty where it is canonical and each stayed what it is."""
    weights: Weights | None = field(default=None, compare=False)
    """What the checkpoint says, where it is on this machine."""

    @property
    def model_id(self) -> str:
        """The id clients ask for."""
        return self.spec.model_id

    @property
    def enabled(self) -> bool:
        """Whether it is to be served."""
        return self.spec.enabled

    @property
    def clusters(self) -> tuple[str, ...] | None:
        """Names of the clusters that serve it; None for the default one."""
        return None if self.spec.clusters is None else tuple(self.spec.clusters)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, whatever the file looks like."""
        return _digest(self.spec)

    def position(self, path: KeyPath = ()) -> Position:
        """Where `path` was written, or its nearest written parent, or the start of the file."""
        return _nearest(self.file, self.positions, path)


@dataclass(frozen=True, slots=True)
class ClusterEntry:
    """One cluster file: the cluster's name (the file's stem), its path and its content."""

    name: str
    file: str
    cluster: "Cluster"
    positions: Mapping[KeyPath, Position] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, whatever the file looks like."""
        return _digest(self.cluster)

    def position(self, path: KeyPath = ()) -> Position:
        """Where `path` was written, or its nearest written parent, or the start of the file."""
        return _nearest(self.file, self.positions, path)


def _digest(form: "ModelSpec | Cluster") -> str:
    text = json.dumps(form.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _nearest(file: str, positions: Mapping[KeyPath, Position], path: KeyPath) -> Position:
    for length in range(len(path), -1, -1):
        found = positions.get(path[:length])
        if found is not None:
            return found
    return Position(file)


@dataclass(frozen=True, slots=True)
class Registry:
    """Every model, sorted by model id, and every cluster, sorted by name. Model ids are unique."""

    models: tuple[ModelEntry, ...]
    clusters: tuple[ClusterEntry, ...]

    def default_cluster(self) -> ClusterEntry | None:
        """The cluster marked as default, or the only one."""
        if len(self.clusters) == 1:
            return self.clusters[0]
        return next((entry for entry in self.clusters if entry.cluster.default), None)

    def cluster(self, name: str) -> ClusterEntry | None:
        """The cluster of that name."""
        return next((entry for entry in self.clusters if entry.name == name), None)

    def models_of(self, cluster: ClusterEntry) -> tuple[ModelEntry, ...]:
        """The enabled models that `cluster` is to serve."""
        default = self.default_cluster()
        return tuple(
            entry
            for entry in self.models
            if entry.enabled
            and (
                cluster.name in entry.clusters
                if entry.clusters is not None
                else default is not None and default.name == cluster.name
            )
        )
