"""Looks into a file only when it is not known already what is in it."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.folder import SourceFile
from reconciler.registry.outline import ClusterOutline, ModelOutline, Placed
from reconciler.registry.report import Report
from reconciler.registry.result_cache import ResultCache, digest
from reconciler.registry.waivers import Waiver

if TYPE_CHECKING:
    from reconciler.registry.full_reader import FullReader

_POLICIES = "policies/"
"""The name of the entry that holds what is wrong with the policies; no file has it."""


class CachedReader:
    """A reader that keeps no values: enough to say what is wrong."""

    def __init__(self, cache: ResultCache) -> None:
        self._cache = cache
        self._sources: Sequence[tuple[SourceFile, bytes]] = ()
        self._reader: FullReader | None = None

    def policies(self, sources: Sequence[tuple[SourceFile, bytes]]) -> tuple[Diagnostic, ...]:
        """Take in the policies that hold for the models."""
        self._sources = sources
        key = hashlib.sha256("".join(f"{file.shown}\0{digest(file, content)}\0" for file, content in sources).encode())
        self._cache.open(key.digest())
        if not sources:
            return ()
        known = self._cache.get(_POLICIES, key.hexdigest())
        if known is not None:
            return tuple(_diagnostic(file, found) for file, found in known)
        diagnostics = self._full().policy_diagnostics
        self._cache.put(_POLICIES, key.hexdigest(), [(each.position.file, _plain(each)) for each in diagnostics])
        return diagnostics

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        """What is known of a model file, else what is found in it."""
        key = digest(file, content)
        known = self._cache.get(file.shown, key)
        if known is not None and (known[2] is None or _checkpoint(known[2][0]) == known[2]):
            return Report(_model(file.shown, known[0]), _diagnostics(file.shown, known[1]), known[2] and known[2][0])
        full = self._full()
        report = full.model(file, content)
        full.models.clear()
        outline, checkpoint = report.outline, report.checkpoint
        plain = None if outline is None else _plain_model(outline)
        seen = None if checkpoint is None else _checkpoint(checkpoint)
        self._cache.put(file.shown, key, (plain, [_plain(each) for each in report.diagnostics], seen))
        return report

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        """What is known of a cluster file, else what is found in it."""
        key = digest(file, content)
        known = self._cache.get(file.shown, key)
        if known is not None:
            return Report(_cluster(file.shown, known[0]), _diagnostics(file.shown, known[1]))
        full = self._full()
        report = full.cluster(file, content)
        full.clusters.clear()
        plain = None if report.outline is None else _plain_cluster(report.outline)
        self._cache.put(file.shown, key, (plain, [_plain(each) for each in report.diagnostics]))
        return report

    def _full(self) -> "FullReader":
        """The reader that looks. Its forms and libraries are imported only when a file is not known."""
        if self._reader is None:
            from reconciler.registry.full_reader import FullReader

            self._reader = FullReader()
            self._reader.policies(self._sources)
        return self._reader


def _checkpoint(source: str) -> list[str]:
    """A folder outside the registry, and what stands for everything that is read there."""
    from reconciler.registry.weights_reader import weights_digest

    return [source, weights_digest(source)]


def _plain(diagnostic: Diagnostic) -> list[Any]:
    position = diagnostic.position
    severity = diagnostic.severity.value
    return [position.line, position.column, diagnostic.rule, diagnostic.message, diagnostic.hint, severity]


def _diagnostic(file: str, found: list[Any]) -> Diagnostic:
    line, column, rule, message, hint, severity = found
    return Diagnostic(Position(file, line, column), rule, message, hint, Severity(severity))


def _diagnostics(file: str, found: list[list[Any]]) -> tuple[Diagnostic, ...]:
    return tuple([_diagnostic(file, each) for each in found]) if found else ()


def _plain_model(model: ModelOutline) -> list[Any]:
    waivers = [
        [each.position.line, each.position.column, each.rule, each.reason, each.expires] for each in model.waivers
    ]
    return [model.model_id, model.aliases, model.clusters, waivers, model.line, model.column]


def _model(file: str, found: list[Any] | None) -> ModelOutline | None:
    if found is None:
        return None
    model_id, aliases, clusters, waivers, line, column = found
    return ModelOutline(
        file,
        Placed(*model_id),
        tuple([Placed(*alias) for alias in aliases]) if aliases else (),
        None if clusters is None else tuple([Placed(*cluster) for cluster in clusters]),
        tuple([Waiver(Position(file, each[0], each[1]), *each[2:]) for each in waivers]) if waivers else (),
        line,
        column,
    )


def _plain_cluster(cluster: ClusterOutline) -> list[Any]:
    return [cluster.name, cluster.owner, cluster.default, cluster.address, cluster.line, cluster.column]


def _cluster(file: str, found: list[Any] | None) -> ClusterOutline | None:
    if found is None:
        return None
    name, owner, default, address, line, column = found
    return ClusterOutline(file, name, owner, Placed(*default), Placed(*address), line, column)
