"""A DriftReport for programs."""

import json

from reconciler.drift.report import DriftReport, Finding
from reconciler.plan.change import FieldChange
from reconciler.plan.diff import hide
from reconciler.state.json_value import JsonValue, canonical


def drift_json(report: DriftReport) -> str:
    """One JSON document, the same for the same report."""
    document = {
        "format_version": 1,
        "cluster": report.cluster,
        "has_drift": report.has_drift,
        "findings": [_finding(finding) for finding in report.findings],
        "in_sync": list(report.in_sync),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, JsonValue]:
    position = finding.position
    return {
        "kind": finding.kind.value,
        "is_drift": finding.kind.is_drift,
        "application": finding.application,
        "message": finding.message,
        "remedy": finding.remedy,
        "fields": [_field(field) for field in finding.fields],
        "position": position and {"file": position.file, "line": position.line, "column": position.column},
    }


def _field(field: FieldChange) -> dict[str, JsonValue]:
    sides = (("live", field.before, field.before_set), ("desired", field.after, field.after_set))
    values = {name: canonical(hide(value)) for name, value, is_set in sides if is_set}
    return {"path": field.path, **values, "impact": field.impact.value, "reason": field.reason}
