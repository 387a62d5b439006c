"""A DriftReport for people."""

from collections import Counter

from reconciler.drift.report import DriftReport, Finding, FindingKind
from reconciler.views.printable import listed, printable
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table
from reconciler.views.values import after, before, short_path


def drift_text(report: DriftReport, style: Style = PLAIN) -> str:
    """Every finding with its fields and what mends it, then what is in sync, then the summary line."""
    blocks = [[style.bold(f"cluster {printable(report.cluster)}")]]
    drifted = [finding for finding in report.findings if finding.kind.is_drift]
    blocks += [_finding(finding, style) for finding in drifted]
    if report.in_sync:
        blocks.append([f"in sync: {listed(report.in_sync)}"])
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


def _finding(finding: Finding, style: Style) -> list[str]:
    heading = style.yellow(f"! {printable(finding.application)} ({finding.kind.value})")
    lines = [f"{heading}: {printable(finding.message)}"]
    if finding.position is not None:
        lines.append(f"    {printable(finding.position.file)}")
    rows = [(short_path(field.path), f"registry {after(field)}", f"live {before(field)}") for field in finding.fields]
    lines += table(rows, indent="    ")
    if finding.remedy:
        lines.append(f"    to mend it: {printable(finding.remedy)}")
    return lines
