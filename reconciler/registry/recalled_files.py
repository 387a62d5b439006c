"""Models and clusters of files whose content an earlier run has read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from reconciler.diagnostics import Position
from reconciler.registry.folder import SourceFile
from reconciler.registry.recalled import Recalled

if TYPE_CHECKING:
    from reconciler.registry.key_path import KeyPath
    from reconciler.registry.registry import ClusterEntry, ModelEntry


class RecalledModel:
    """A `ModelEntry` of a file whose content is known."""

    def __init__(
        self,
        source: SourceFile,
        content: bytes,
        *,
        model_id: str,
        enabled: bool,
        clusters: tuple[str, ...] | None,
        digest: str,
        start: Position,
    ) -> None:
        self.file = source.shown
        self.model_id = model_id
        self.enabled = enabled
        self.clusters = clusters
        self.digest = digest
        self._start = start
        self._source = source
        self._content = content
        self._read: ModelEntry | None = None

    def position(self, path: "KeyPath" = ()) -> Position:
        """Where `path` was written."""
        return self._entry().position(path) if path else self._start

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry(), name)

    def _entry(self) -> "ModelEntry":
        if self._read is None:
            from reconciler.registry.full_reader import FullReader

            reader = FullReader()
            reader.model(self._source, self._content)
            (self._read,) = reader.models
        return self._read


class RecalledCluster:
    """A `ClusterEntry` of a file whose content is known."""

    def __init__(self, source: SourceFile, content: bytes, known: Mapping[str, Any], digest: str) -> None:
        self.name = source.stem
        self.file = source.shown
        self.digest = digest
        self.cluster = Recalled(known, lambda: self._entry().cluster)
        self._source = source
        self._content = content
        self._read: ClusterEntry | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry(), name)

    def _entry(self) -> "ClusterEntry":
        if self._read is None:
            from reconciler.registry.full_reader import FullReader

            reader = FullReader()
            reader.cluster(self._source, self._content)
            (self._read,) = reader.clusters
        return self._read


def as_model(recalled: RecalledModel) -> "ModelEntry":
    """It answers like one."""
    return cast("ModelEntry", recalled)


def as_cluster(recalled: RecalledCluster) -> "ClusterEntry":
    """It answers like one."""
    return cast("ClusterEntry", recalled)
