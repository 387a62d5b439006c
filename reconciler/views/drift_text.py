"""A DriftReport for people."""

from collections import Counter, defaultdict

from reconciler.drift.report import DriftField, DriftReport, Expected, Finding, FindingKind, Origin, Severity
from reconciler.views.moment import moment
from reconciler.views.printable import listed, printable
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table
from reconciler.views.values import after, before, short_path, shown


def drift_text(report: DriftReport, style: Style = PLAIN) -> str:
    """Every finding with its fields and what mends it, then what is as it may be, then the summary line."""
    blocks = [[style.bold(f"cluster {printable(report.cluster)}"), *_compared(report)]]
    blocks += [[f"{style.yellow('note')}: {printable(note)}"] for note in report.notes]
    drifted = [finding for finding in report.findings if finding.kind.is_drift]
    blocks += [_finding(finding, style) for finding in drifted]
    if report.in_sync:
        blocks.append([f"in sync: {listed(report.in_sync)}"])
    if report.expected:
        blocks.append(["expected:", *table(expected_rows(report.expected), indent="    ")])
    if report.ignored:
        rows = [(subject(one.finding), f"{one.finding.kind.value}: {printable(one.reason)}") for one in report.ignored]
        blocks.append(["ignored, as the cluster file says:", *table(rows, indent="    ")])
    others = [finding.application for finding in report.findings if finding.kind is FindingKind.UNMANAGED]
    if others:
        blocks.append([f"not ours, untouched: {listed(others)}"])
    blocks.append([style.bold(drift_summary(report))])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def drift_summary(report: DriftReport) -> str:
    """The last line: how many findings of each kind."""
    if not report.has_drift:
        return "No drift: the cluster is as the registry says"
    counts = Counter(finding.kind for finding in report.findings)
    kinds = [f"{counts[kind]} {kind.value}" for kind in FindingKind if kind.is_drift and counts[kind]]
    return f"Drift: {', '.join(kinds)}"


def subject(finding: Finding) -> str:
    """What a finding is about."""
    return printable(finding.application) if finding.application else "the cluster"


def expected_rows(expected: tuple[Expected, ...]) -> list[tuple[str, str, str]]:
    """What differs and may: where, which fields, why; applications with the same explanation together."""
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in expected:
        together[short_path(one.path), printable(one.message)].append(one.application)
    return [(path, message, listed(names, 4)) for (path, message), names in together.items()]


def sides(field: DriftField) -> tuple[str, str, str]:
    """What the registry says, what is live, and what was applied where that tells more."""
    applied = ""
    if field.origin is Origin.BOTH and field.applied_set:
        applied = shown(field.applied)
    return after(field.change), before(field.change), applied


def _compared(report: DriftReport) -> list[str]:
    if report.applied_commit is None:
        return ["what was applied last is not known, so only the registry and the cluster are compared"]
    when = f" at {moment(report.applied_time)}" if report.applied_time else ""
    return [printable(f"last applied: commit {report.applied_commit[:12]}{when}")]


def _finding(finding: Finding, style: Style) -> list[str]:
    paint = style.red if finding.severity is Severity.ERROR else style.yellow
    lines = [f"{paint(f'! {subject(finding)} ({finding.kind.value})')}: {printable(finding.message)}"]
    if finding.position is not None:
        lines.append(f"    {printable(str(finding.position))}")
    if finding.since is not None:
        lines.append(f"    since {moment(finding.since)} or longer")
    lines += table([_row(field, finding.origin) for field in finding.fields], indent="    ")
    if finding.remedy:
        lines.append(f"    to mend it: {printable(finding.remedy)}")
    return lines


def _row(field: DriftField, origin: Origin) -> tuple[str, ...]:
    desired, live, applied = sides(field)
    cells = (short_path(field.change.path), f"registry {desired}", f"live {live}")
    if field.origin is origin and not applied:
        return cells
    return (*cells, f"({field.origin.value}{f', applied {applied}' if applied else ''})")
