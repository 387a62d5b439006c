"""Reads files completely: from bytes to checked values."""

from dataclasses import dataclass, field

from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.cluster import Cluster
from reconciler.registry.document import parse
from reconciler.registry.folder import SourceFile
from reconciler.registry.model_file import read_model
from reconciler.registry.outline import ClusterOutline, ModelOutline, cluster_outline, model_outline
from reconciler.registry.registry import ClusterEntry, ModelEntry
from reconciler.registry.report import Report
from reconciler.registry.validation import validate


@dataclass(slots=True)
class FullReader:
    """Keeps the value of every file that is not refused, with the places of its keys."""

    models: list[ModelEntry] = field(default_factory=list)
    clusters: list[ClusterEntry] = field(default_factory=list)

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        """Read and check one model file."""
        found = read_model(file.shown, content)
        if found.entry is None:
            return Report(None, found.diagnostics)
        self.models.append(found.entry)
        return Report(model_outline(found.entry), (*found.diagnostics, *check_model(found.entry)))

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        """Read and check one cluster file."""
        document, diagnostics = parse(file.shown, content)
        if document is None:
            return Report(None, diagnostics)
        cluster, problems = validate(Cluster, document)
        diagnostics += problems
        if cluster is None:
            return Report(None, diagnostics)
        entry = ClusterEntry(file.stem, file.shown, cluster, document.positions)
        self.clusters.append(entry)
        return Report(cluster_outline(entry), diagnostics)
