"""Looks into a file only when it is not known already what is in it."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.folder import SourceFile
from reconciler.registry.outline import ClusterOutline, ModelOutline, NodeTypeOutline, Placed
from reconciler.registry.recalled import remembered
from reconciler.registry.recalled_files import RecalledCluster, RecalledModel, as_cluster, as_model
from reconciler.registry.report import Report
from reconciler.registry.result_cache import ResultCache, digest
from reconciler.registry.waivers import Waiver

if TYPE_CHECKING:
    from reconciler.registry.full_reader import FullReader
    from reconciler.registry.registry import ClusterEntry, ModelEntry

_POLICIES = "policies/"
"""The name of the entry that holds what is wrong with the policies; no file has it."""


class CachedReader:
    """A reader that looks into files when it has to. It keeps the value of every file that is not refused, as far as it
    is known or was looked for; or no values, where `keep` is False, and only says what is wrong.
    """

    def __init__(self, cache: ResultCache, *, keep: bool = True) -> None:
        self.models: list[ModelEntry] = []
        self.clusters: list[ClusterEntry] = []
        self._cache = cache
        self._keep = keep
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
            outline = _model(file.shown, known[0])
            if self._keep and outline is not None:
                self.models.append(_recalled_model(file, content, outline, known[3]))
            return Report(outline, _diagnostics(file.shown, known[1]), known[2] and known[2][0])
        full = self._full()
        report = full.model(file, content)
        checkpoint = None if report.checkpoint is None else _checkpoint(report.checkpoint)
        diagnostics = [_plain(each) for each in report.diagnostics]
        outlined = None if report.outline is None else _plain_model(report.outline)
        facts = [[entry.enabled, entry.digest] for entry in full.models]
        self._cache.put(file.shown, key, (outlined, diagnostics, checkpoint, facts[0] if facts else None))
        if self._keep:
            self.models.extend(full.models)
        full.models.clear()
        return report

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        """What is known of a cluster file, else what is found in it."""
        key = digest(file, content)
        known = self._cache.get(file.shown, key)
        if known is not None:
            if self._keep and known[2] is not None:
                self.clusters.append(as_cluster(RecalledCluster(file, content, *known[2])))
            return Report(_cluster(file.shown, known[0]), _diagnostics(file.shown, known[1]))
        full = self._full()
        report = full.cluster(file, content)
        plain = None if report.outline is None else _plain_cluster(report.outline)
        facts = [[remembered(entry.cluster), entry.digest] for entry in full.clusters]
        diagnostics = [_plain(each) for each in report.diagnostics]
        self._cache.put(file.shown, key, (plain, diagnostics, facts[0] if facts else None))
        if self._keep:
            self.clusters.extend(full.clusters)
        full.clusters.clear()
        return report

    def _full(self) -> "FullReader":
        """The reader that looks. Its forms and libraries are imported only when a file is not known."""
        if self._reader is None:
            from reconciler.registry.full_reader import FullReader

            self._reader = FullReader()
            self._reader.policies(self._sources)
        return self._reader


def _recalled_model(file: SourceFile, content: bytes, outline: ModelOutline, facts: list[Any]) -> "ModelEntry":
    enabled, digest = facts
    clusters = None if outline.clusters is None else tuple(placed.value for placed in outline.clusters)
    return as_model(
        RecalledModel(
            file,
            content,
            model_id=outline.model_id.value,
            enabled=enabled,
            clusters=clusters,
            digest=digest,
            start=outline.position(),
        )
    )


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
    needs = [model.groups, model.replicas]
    traffic = [model.enabled, model.kind, model.canary, model.fallback]
    return [model.model_id, model.aliases, model.clusters, waivers, model.line, model.column, needs, traffic]


def _model(file: str, found: list[Any] | None) -> ModelOutline | None:
    if found is None:
        return None
    model_id, aliases, clusters, waivers, line, column, (groups, replicas), traffic = found
    enabled, kind, canary, fallback = traffic
    return ModelOutline(
        file,
        Placed(*model_id),
        tuple([Placed(*alias) for alias in aliases]) if aliases else (),
        None if clusters is None else tuple([Placed(*cluster) for cluster in clusters]),
        tuple([Waiver(Position(file, each[0], each[1]), *each[2:]) for each in waivers]) if waivers else (),
        line,
        column,
        tuple(groups),
        replicas,
        enabled,
        kind,
        None if canary is None else Placed(*canary),
        None if fallback is None else Placed(*fallback),
    )


def _plain_cluster(cluster: ClusterOutline) -> list[Any]:
    return [
        cluster.name,
        cluster.owner,
        cluster.default,
        cluster.address,
        cluster.line,
        cluster.column,
        cluster.node_types,
    ]


def _cluster(file: str, found: list[Any] | None) -> ClusterOutline | None:
    if found is None:
        return None
    name, owner, default, address, line, column, kinds = found
    types = tuple([NodeTypeOutline(*kind) for kind in kinds])
    return ClusterOutline(file, name, owner, Placed(*default), Placed(*address), line, column, types)
