"""A DriftReport as JSON, for programs. The published form is `drift.schema`."""

from reconciler.drift.report import DriftReport, Finding
from reconciler.plan.encode import field_json, position_json
from reconciler.state.json_value import JsonValue, canonical

FORMAT_VERSION = "1.0"
"""Major and minor: a reader of 1.x reads every 1.y, leaving out keys it does not know."""


def drift_json(report: DriftReport) -> dict[str, JsonValue]:
    """The report, ready for `json.dumps`, the same for the same report. No value of an environment variable is in
    it."""
    return {
        "format_version": FORMAT_VERSION,
        "cluster": report.cluster,
        "has_drift": report.has_drift,
        "findings": [_finding(finding) for finding in report.findings],
        "in_sync": list(report.in_sync),
    }


def _finding(finding: Finding) -> dict[str, JsonValue]:
    return {
        "kind": finding.kind.value,
        "is_drift": finding.kind.is_drift,
        "application": finding.application,
        "message": finding.message,
        "remedy": finding.remedy,
        "fields": [canonical(field_json(field, before="live", after="desired")) for field in finding.fields],
        "position": position_json(finding.position),
    }
