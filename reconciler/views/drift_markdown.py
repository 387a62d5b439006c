"""A DriftReport as Markdown, for an issue or a comment."""

from reconciler.drift.report import DriftReport, FindingKind
from reconciler.views.drift_text import drift_summary
from reconciler.views.markdown import code, prose, table
from reconciler.views.values import after, before, short_path


def drift_markdown(report: DriftReport) -> str:
    """The whole report."""
    lines = [f"### {prose(drift_summary(report))}", "", f"Cluster {code(report.cluster)}.", ""]
    for finding in report.findings:
        if not finding.kind.is_drift:
            continue
        lines.append(f"- **{finding.kind.value}** {code(finding.application)}: {prose(finding.message)}")
        if finding.remedy:
            lines.append(f"  To mend it: {prose(finding.remedy)}")
        if finding.fields:
            rows = [(code(short_path(field.path)), code(after(field)), code(before(field))) for field in finding.fields]
            lines += ["", *(f"  {line}" for line in table(("field", "registry", "live"), rows)), ""]
    if report.has_drift:
        lines.append("")
    if report.in_sync:
        lines += [f"In sync: {', '.join(code(name) for name in report.in_sync)}.", ""]
    others = [finding.application for finding in report.findings if finding.kind is FindingKind.UNMANAGED]
    if others:
        lines += [f"Not ours, untouched: {', '.join(code(name) for name in others)}.", ""]
    return "\n".join(lines).rstrip() + "\n"
