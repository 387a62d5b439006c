"""The DriftReport inside a JSON document that `drift.encode` wrote, as far as it is there."""

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Position
from reconciler.drift.report import (
    DriftField,
    DriftReport,
    Expected,
    Finding,
    FindingKind,
    Ignored,
    Member,
    Origin,
    Severity,
    Standing,
)
from reconciler.plan.change import FieldChange, Impact
from reconciler.state.accelerators import Accelerator

Json = Mapping[str, Any]


def saved_drift(document: Json) -> DriftReport:
    """The report. Raises KeyError, ValueError or TypeError when the document is none; version 1.0 had less in it."""
    applied = document.get("applied") or {}
    return DriftReport(
        cluster=document["cluster"],
        findings=tuple(_finding(finding) for finding in document["findings"]),
        in_sync=tuple(document["in_sync"]),
        expected=tuple(
            Expected(one["application"], one["path"], one["message"]) for one in document.get("expected", ())
        ),
        ignored=tuple(Ignored(_finding(one["finding"]), one["reason"]) for one in document.get("ignored", ())),
        fleet=tuple(_member(member) for member in document.get("fleet", ())),
        accelerators=tuple(
            Accelerator(one["type"], one["total"], one["used"], one["wanted"], one["ceiling"])
            for one in document.get("accelerators", ())
        ),
        applied_commit=applied.get("commit"),
        applied_time=applied.get("time"),
        registry_commit=document.get("registry_commit"),
        ray_version=document.get("ray_version", ""),
        time=document.get("time"),
        notes=tuple(document.get("notes", ())),
    )


def _finding(finding: Json) -> Finding:
    return Finding(
        kind=FindingKind(finding["kind"]),
        application=finding["application"],
        message=finding["message"],
        remedy=finding["remedy"],
        severity=Severity(finding.get("severity", Severity.WARNING)),
        origin=Origin(finding.get("origin", Origin.UNKNOWN)),
        fields=tuple(_field(field) for field in finding["fields"]),
        position=_position(finding["position"]),
        since=finding.get("since"),
    )


def _field(field: Json) -> DriftField:
    change = FieldChange(
        path=field["path"],
        before=field.get("live"),
        after=field.get("desired"),
        before_set="live" in field,
        after_set="desired" in field,
        impact=Impact(field["impact"]),
        reason=field["reason"],
    )
    return DriftField(
        change, Origin(field.get("origin", Origin.UNKNOWN)), field.get("applied"), applied_set="applied" in field
    )


def _member(member: Json) -> Member:
    return Member(
        application=member["application"],
        model_id=member["model_id"],
        standing=Standing(member["standing"]),
        status=member["status"],
        running=member["running"],
        target=member["target"],
        min_replicas=member["min_replicas"],
        max_replicas=member["max_replicas"],
        gpus=member["gpus_per_replica"],
        accelerator=member["accelerator"],
        position=_position(member["position"]),
        versions={library: tuple(found) for library, found in member.get("versions", {}).items()},
        revisions=tuple(member.get("revisions", ())),
    )


def _position(position: Json | None) -> Position | None:
    return None if position is None else Position(position["file"], position["line"], position["column"])
