"""A drift report that went through JSON is shown as it was."""

import json

from reconciler.drift.encode import drift_json
from reconciler.views.drift_issue import drift_issue, issue_mark
from reconciler.views.drift_markdown import drift_markdown
from reconciler.views.saved_drift import saved_drift
from tests.views.test_drift import REPORTS, SOME


def test_nothing_is_lost_on_the_way() -> None:
    for report in REPORTS.values():
        assert saved_drift(json.loads(json.dumps(drift_json(report)))) == report


def test_version_1_0_is_read() -> None:
    document = drift_json(SOME)
    old = {key: document[key] for key in ("format_version", "cluster", "has_drift", "in_sync")}
    old["findings"] = [
        {key: value for key, value in finding.items() if key not in ("severity", "origin", "since")}
        for finding in document["findings"]
    ]
    report = saved_drift(old)
    assert [finding.message for finding in report.findings] == [finding.message for finding in SOME.findings]


def test_an_issue_is_cut_at_the_end_of_a_line() -> None:
    whole = drift_markdown(SOME)
    title, body = drift_issue(SOME, 100_000)
    assert title == "Drift on cluster local"
    assert body == f"{issue_mark('local')}\n{whole}"
    _, short = drift_issue(SOME, 600)
    assert len(short.encode()) <= 600
    kept, rest = short.split("\n\nThe report goes on; ")
    assert rest == "`reconcile drift` shows all of it.\n"
    assert body.startswith(kept + "\n")
