"""The findings of a DriftReport as diagnostics, so that drift appears wherever diagnostics do: SARIF and JUnit."""

from collections.abc import Mapping

from reconciler.diagnostics import Diagnostic, Position
from reconciler.diagnostics import Severity as DiagnosticSeverity
from reconciler.drift.report import DriftReport, Finding, FindingKind, Severity
from reconciler.registry.rules import Rule
from reconciler.registry.waivers import Waived
from reconciler.views.drift_text import sides, subject
from reconciler.views.values import short_path

DRIFT_RULES: Mapping[str, Rule] = {
    f"drift/{kind.value}": Rule(f"drift/{kind.value}", "warning", text)
    for kind, text in {
        FindingKind.CONFIG: "What was submitted to the cluster is not what the registry says.",
        FindingKind.MISSING: "An application that the registry wants is not on the cluster.",
        FindingKind.ORPHANED: "An application of this registry is on the cluster, and no file calls for it.",
        FindingKind.HEALTH: "An application is on the cluster and does not serve.",
        FindingKind.SCALE: "The number of replicas is outside the registry's bounds.",
        FindingKind.RUNNING: "What runs is not what was submitted.",
        FindingKind.CLUSTER: "Nodes or accelerators that should be there are not.",
    }.items()
}
"""Each kind of drift as a rule."""


def drift_diagnostics(report: DriftReport, cluster_file: Position) -> tuple[list[Diagnostic], list[Waived]]:
    """One diagnostic for each finding that is drift, and those that a rule ignores with its reason. What has no place
    in a model file is told at the cluster's."""
    found = [_diagnostic(finding, cluster_file) for finding in report.findings if finding.kind.is_drift]
    waived = [Waived(_diagnostic(one.finding, cluster_file), one.reason) for one in report.ignored]
    return found, waived


def _diagnostic(finding: Finding, cluster_file: Position) -> Diagnostic:
    fields = []
    for field in finding.fields:
        desired, live, _ = sides(field)
        fields.append(f"{short_path(field.change.path)}: registry {desired}, live {live}")
    details = f" ({'; '.join(fields)})" if fields else ""
    severity = DiagnosticSeverity.ERROR if finding.severity is Severity.ERROR else DiagnosticSeverity.WARNING
    return Diagnostic(
        finding.position or cluster_file,
        f"drift/{finding.kind.value}",
        f"{subject(finding)}: {finding.message}{details}",
        finding.remedy or None,
        severity,
    )
