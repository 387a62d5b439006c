"""A DriftReport as Markdown, for an issue or a comment."""

from reconciler.drift.report import DriftReport, Finding, FindingKind
from reconciler.views.drift_text import drift_summary, expected_rows, sides, subject
from reconciler.views.markdown import code, prose, table
from reconciler.views.moment import moment
from reconciler.views.values import short_path


def drift_markdown(report: DriftReport) -> str:
    """The whole report."""
    lines = [f"### {prose(drift_summary(report))}", "", _compared(report), ""]
    for note in report.notes:
        lines += [f"> {prose(note)}", ""]
    for finding in report.findings:
        if finding.kind.is_drift:
            lines += _finding(finding)
    if report.has_drift:
        lines.append("")
    if report.in_sync:
        lines += [f"In sync: {', '.join(code(name) for name in report.in_sync)}.", ""]
    if report.expected:
        rows = [(code(path), prose(why), prose(names)) for path, why, names in expected_rows(report.expected)]
        lines += ["Expected, no drift:", "", *table(("field", "why", "applications"), rows), ""]
    if report.ignored:
        rows = [
            (code(subject(one.finding)), prose(one.finding.kind.value), prose(one.reason)) for one in report.ignored
        ]
        lines += ["Ignored, as the cluster file says:", "", *table(("application", "kind", "reason"), rows), ""]
    others = [finding.application for finding in report.findings if finding.kind is FindingKind.UNMANAGED]
    if others:
        lines += [f"Not ours, untouched: {', '.join(code(name) for name in others)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _compared(report: DriftReport) -> str:
    cluster = f"Cluster {code(report.cluster)}"
    if report.applied_commit is None:
        return f"{cluster}; what was applied last is not known."
    when = f" at {moment(report.applied_time)}" if report.applied_time else ""
    return f"{cluster}, last applied from {code(report.applied_commit[:12])}{when}."


def _finding(finding: Finding) -> list[str]:
    since = f" Since {moment(finding.since)} or longer." if finding.since else ""
    where = f" ({code(str(finding.position))})" if finding.position else ""
    lines = [f"- **{finding.kind.value}** {code(subject(finding))}{where}: {prose(finding.message)}.{since}"]
    if finding.remedy:
        lines.append(f"  To mend it: {prose(finding.remedy)}")
    if finding.fields:
        head = ("field", "registry", "live", "applied")
        rows = [(short_path(field.change.path), *sides(field)) for field in finding.fields]
        shown = 4 if any(row[3] for row in rows) else 3
        cells = [[code(cell or "-") for cell in row[:shown]] for row in rows]
        lines += ["", *(f"  {line}" for line in table(head[:shown], cells)), ""]
    return lines
