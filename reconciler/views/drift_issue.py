"""A DriftReport as an issue: the Markdown of the report within what a forge takes."""

import re

from reconciler.drift.report import DriftReport
from reconciler.views.drift_markdown import drift_markdown
from reconciler.views.printable import printable

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")
_CUT = "\n\nThe report goes on; `reconcile drift` shows all of it.\n"


def issue_mark(cluster: str) -> str:
    """The invisible line by which our issue about a cluster is found again."""
    return f"<!-- reconcile drift {_NOT_PLAIN.sub('_', cluster)} -->"


def drift_issue(report: DriftReport, limit: int) -> tuple[str, str]:
    """Title and text of at most `limit` bytes; a longer report is cut at the end of a line."""
    body = f"{issue_mark(report.cluster)}\n{drift_markdown(report)}"
    content = body.encode()
    if len(content) > limit:
        kept = content[: limit - len(_CUT.encode())].decode("utf-8", "ignore")
        body = kept[: kept.rfind("\n")] + _CUT
    return printable(f"Drift on cluster {report.cluster}"), body
