"""A DriftReport for programs."""

import json

from reconciler.drift.report import DriftReport, Finding
from reconciler.plan.encode import field_json, position_json
from reconciler.state.json_value import JsonValue, canonical

FORMAT_VERSION = "1.0"
"""Major and minor: within a major version keys are only added."""


def drift_json(report: DriftReport) -> str:
    """One JSON document, the same for the same report."""
    document = {
        "format_version": FORMAT_VERSION,
        "cluster": report.cluster,
        "has_drift": report.has_drift,
        "findings": [_finding(finding) for finding in report.findings],
        "in_sync": list(report.in_sync),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, JsonValue]:
    return {
        "kind": finding.kind.value,
        "is_drift": finding.kind.is_drift,
        "application": finding.application,
        "message": finding.message,
        "remedy": finding.remedy,
        "fields": [canonical(field_json(field, "live", "desired")) for field in finding.fields],
        "position": position_json(finding.position),
    }
