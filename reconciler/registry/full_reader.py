"""Reads files completely: from bytes to checked values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.cluster import Cluster
from reconciler.registry.document import parse
from reconciler.registry.folder import SourceFile
from reconciler.registry.outline import ClusterOutline, ModelOutline, cluster_outline, model_outline
from reconciler.registry.registry import ClusterEntry, KeyPath, ModelEntry
from reconciler.registry.report import Report
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import Form, validate


@dataclass(slots=True)
class FullReader:
    """Keeps the value of every file that is not refused, with the places of its keys."""

    models: list[ModelEntry] = field(default_factory=list)
    clusters: list[ClusterEntry] = field(default_factory=list)

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        """Read and check one model file."""
        spec, positions, diagnostics = _value(ModelSpec, file, content)
        if spec is None:
            return Report(None, diagnostics)
        entry = ModelEntry(file.shown, spec, positions)
        self.models.append(entry)
        return Report(model_outline(entry), (*diagnostics, *check_model(entry)))

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        """Read and check one cluster file."""
        cluster, positions, diagnostics = _value(Cluster, file, content)
        if cluster is None:
            return Report(None, diagnostics)
        entry = ClusterEntry(file.stem, file.shown, cluster, positions)
        self.clusters.append(entry)
        return Report(cluster_outline(entry), diagnostics)


def _value(
    form: type[Form], file: SourceFile, content: bytes
) -> tuple[Form | None, Mapping[KeyPath, Position], tuple[Diagnostic, ...]]:
    """The file's value, the places of its keys, and its problems."""
    document, diagnostics = parse(file.shown, content)
    if document is None:
        return None, {}, diagnostics
    value, problems = validate(form, document)
    return value, document.positions, (*diagnostics, *problems)
