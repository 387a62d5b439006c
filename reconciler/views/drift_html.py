"""A DriftReport as one HTML page that needs nothing else: no network, no other file, and a script only for filters."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from reconciler import __version__
from reconciler.drift.report import DriftReport, Finding, FindingKind, Member, Severity, Standing
from reconciler.state.accelerators import Accelerator
from reconciler.views.drift_text import drift_summary, expected_rows, sides
from reconciler.views.printable import listed, printable
from reconciler.views.values import short_path

_LITERAL = re.compile(r"`([^`]+)`")
_GRAVITY = {severity: rank for rank, severity in enumerate(Severity)}
_RANK = {standing: rank for rank, standing in enumerate(Standing)}
_BAR = 996
"""Width of the longest bar, in the units of its drawing."""


@dataclass(frozen=True, slots=True)
class _Bar:
    type: str
    text: str
    total: int
    used: int
    wanted: int
    ceiling: int


@dataclass(frozen=True, slots=True)
class _Point:
    time: str
    findings: int
    names: str
    height: int


def drift_html(report: DriftReport, earlier: Sequence[DriftReport] = ()) -> str:
    """The page. `earlier` are reports on the same cluster, in any order."""
    page = files("reconciler.views") / "page"
    style, script = ((page / name).read_text(encoding="utf-8") for name in ("drift.css", "drift.js"))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"slug": _slug, "spans": _spans, "moment": _moment, "short": short_path}
    template = environment.from_string((page / "drift.html").read_text(encoding="utf-8"))
    standings = {member.application: member.standing.value for member in report.fleet}
    findings = sorted((one for one in report.findings if one.kind.is_drift), key=lambda one: _GRAVITY[one.severity])
    runs = {member.application: _runs(member) for member in report.fleet}
    return template.render(
        report=report,
        title=f"Drift of {report.cluster}",
        summary=drift_summary(report),
        facts=_facts(report),
        standings=[(standing.value, count) for standing, count in report.counts.items()],
        fleet=sorted(report.fleet, key=lambda member: -_RANK[member.standing]),
        bars=_bars(report.accelerators),
        findings=findings,
        anchors={one.application: f"finding-{number}" for number, one in reversed([*enumerate(findings, 1)])},
        runs=runs if any(runs.values()) else {},
        others=[finding for finding in report.findings if finding.kind is FindingKind.UNMANAGED],
        standing_of=lambda finding: standings.get(finding.application, "drifted"),
        searchable=_searchable,
        searchable_finding=_searchable_finding,
        sides=sides,
        shows_applied=lambda finding: any(sides(field)[2] for field in finding.fields),
        expected_rows=expected_rows,
        history=_history(report, earlier),
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _facts(report: DriftReport) -> list[tuple[str, str]]:
    facts = [
        ("read", report.time and _moment(report.time)),
        ("last applied", report.applied_commit and report.applied_commit[:12]),
        ("applied at", report.applied_time and _moment(report.applied_time)),
        ("registry at", report.registry_commit and report.registry_commit[:12]),
        ("Ray", report.ray_version),
    ]
    return [(name, printable(value)) for name, value in facts if value]


def _runs(member: Member) -> list[str]:
    """What its replicas say they run, such as `vllm 0.29.0` and the weights' commit."""
    versions = [f"{library} {', '.join(found)}" for library, found in member.versions.items() if library != "ray"]
    return [*versions, *(revision[:12] for revision in member.revisions)]


def _bars(accelerators: Sequence[Accelerator]) -> list[_Bar]:
    longest = max((max(one.total, one.ceiling, one.wanted) for one in accelerators), default=0.0) or 1.0

    def scaled(amount: float) -> int:
        return round(_BAR * amount / longest)

    return [
        _Bar(
            one.type,
            f"{one.used:g} of {one.total:g} in use, {max(one.total - one.used, 0):g} free, "
            f"{one.wanted:g} requested at the lower bounds, {one.ceiling:g} at the upper",
            scaled(one.total),
            scaled(min(one.used, one.total)),
            scaled(one.wanted),
            scaled(one.ceiling),
        )
        for one in accelerators
    ]


def _history(report: DriftReport, earlier: Sequence[DriftReport]) -> list[_Point]:
    """This report and the earlier ones by time, the oldest first."""
    found = [
        (one.time or "", [finding.application for finding in one.findings if finding.kind.is_drift])
        for one in (*earlier, report)
    ]
    most = max(len(names) for _, names in found) or 1
    points = []
    for time, names in sorted(found, key=lambda one: one[0]):
        told = listed(sorted({name or "the cluster" for name in names}), 5)
        points.append(_Point(time, len(names), told, 4 + 96 * len(names) // most))
    return points


def _searchable(member: Member) -> str:
    return " ".join([member.application, member.model_id or "", member.status, str(member.position or "")])


def _searchable_finding(finding: Finding) -> str:
    paths = [field.change.path for field in finding.fields]
    return " ".join([finding.application, finding.kind.value, finding.message, str(finding.position or ""), *paths])


def _slug(text: str) -> str:
    return text.replace(" ", "-")


def _moment(text: str) -> str:
    """A time as people read it."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return printable(text)


def _spans(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    parts = _LITERAL.split(printable(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def _hash(text: str) -> str:
    """How a content security policy names an inline block."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
