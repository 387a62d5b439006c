"""Reads files completely: from bytes to checked values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.cluster import Cluster
from reconciler.registry.document import parse
from reconciler.registry.folder import SourceFile
from reconciler.registry.model_file import read_model
from reconciler.registry.outline import ClusterOutline, ModelOutline, cluster_outline, model_outline
from reconciler.registry.policies import Policy, check_policies, read_policies
from reconciler.registry.registry import ClusterEntry, ModelEntry
from reconciler.registry.report import Report
from reconciler.registry.validation import validate
from reconciler.registry.weights_reader import read_weights


@dataclass(slots=True)
class FullReader:
    """Keeps the value of every file that is not refused, with the places of its keys."""

    models: list[ModelEntry] = field(default_factory=list)
    clusters: list[ClusterEntry] = field(default_factory=list)
    policy_diagnostics: tuple[Diagnostic, ...] = ()
    _policies: tuple[Policy, ...] = ()

    def policies(self, sources: Sequence[tuple[SourceFile, bytes]]) -> tuple[Diagnostic, ...]:
        """Read the policies that hold for the models."""
        self._policies, self.policy_diagnostics = read_policies(sources)
        return self.policy_diagnostics

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        """Read and check one model file."""
        found = read_model(file.shown, content)
        if found.entry is None:
            return Report(None, found.diagnostics)
        source = found.entry.spec.engine_config.hf_model_id
        checkpoint = source if source is not None and source.startswith("/") else None
        entry = found.entry if checkpoint is None else replace(found.entry, weights=read_weights(checkpoint))
        self.models.append(entry)
        problems = (*found.diagnostics, *check_model(entry), *check_policies(self._policies, entry))
        return Report(model_outline(entry), problems, checkpoint)

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
