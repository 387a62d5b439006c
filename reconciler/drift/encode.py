"""A DriftReport as JSON, for programs. The published form is `drift.schema`."""

from reconciler.drift.report import DriftField, DriftReport, Expected, Finding, Ignored, Member
from reconciler.plan.diff import hide
from reconciler.plan.encode import field_json, position_json
from reconciler.state.accelerators import Accelerator
from reconciler.state.json_value import JsonValue, canonical

FORMAT_VERSION = "1.2"
"""Major and minor: a reader of 1.x reads every 1.y, leaving out keys it does not know."""


def drift_json(report: DriftReport) -> dict[str, JsonValue]:
    """The report, ready for `json.dumps`, the same for the same report. No value of an environment variable is in
    it."""
    return {
        "format_version": FORMAT_VERSION,
        "cluster": report.cluster,
        "time": report.time,
        "ray_version": report.ray_version,
        "registry_commit": report.registry_commit,
        "applied": {"commit": report.applied_commit, "time": report.applied_time},
        "has_drift": report.has_drift,
        "findings": [_finding(finding) for finding in report.findings],
        "in_sync": list(report.in_sync),
        "expected": [_expected(one) for one in report.expected],
        "ignored": [_ignored(one) for one in report.ignored],
        "fleet": [_member(member) for member in report.fleet],
        "accelerators": [_accelerator(one) for one in report.accelerators],
        "notes": list(report.notes),
    }


def _finding(finding: Finding) -> dict[str, JsonValue]:
    return {
        "kind": finding.kind.value,
        "is_drift": finding.kind.is_drift,
        "severity": finding.severity.value,
        "origin": finding.origin.value,
        "application": finding.application,
        "message": finding.message,
        "remedy": finding.remedy,
        "fields": [canonical(_field(field)) for field in finding.fields],
        "position": position_json(finding.position),
        "since": finding.since,
    }


def _field(field: DriftField) -> dict[str, JsonValue]:
    applied = {"applied": hide(field.applied)} if field.applied_set else {}
    return {**field_json(field.change, before="live", after="desired"), **applied, "origin": field.origin.value}


def _expected(one: Expected) -> dict[str, JsonValue]:
    return {"application": one.application, "path": one.path, "message": one.message}


def _ignored(one: Ignored) -> dict[str, JsonValue]:
    return {"reason": one.reason, "finding": _finding(one.finding)}


def _member(member: Member) -> dict[str, JsonValue]:
    return {
        "application": member.application,
        "model_id": member.model_id,
        "standing": member.standing.value,
        "status": member.status,
        "running": member.running,
        "target": member.target,
        "min_replicas": member.min_replicas,
        "max_replicas": member.max_replicas,
        "gpus_per_replica": canonical(member.gpus),
        "accelerator": member.accelerator,
        "position": position_json(member.position),
        "versions": {library: list(found) for library, found in member.versions.items()},
        "revisions": list(member.revisions),
    }


def _accelerator(one: Accelerator) -> dict[str, JsonValue]:
    amounts = {"total": one.total, "used": one.used, "wanted": one.wanted, "ceiling": one.ceiling}
    return {"type": one.type, **canonical(amounts)}
