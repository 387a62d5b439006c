from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.build import build_plan
from reconciler.plan.options import PlanOptions
from reconciler.state.provenance import Record
from tests.support.states import ADDRESS, SOURCE, deployed, desired, model, remembering

STATE = desired(model("org/chat"))
CHANGED = desired(model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}))
ROLLBACK = Record("2026-01-02T03:04:05+00:00", "me", "a" * 40, None, False, "1", is_rollback=True)
WARNING = (
    "the cluster was rolled back to commit aaaaaaaaaaaa by me at 2026-01-02T03:04:05+00:00; "
    "this plan may bring back what was rolled back"
)


@pytest.mark.parametrize(
    ("state", "records", "source", "warned"),
    [
        (CHANGED, (ROLLBACK,), SOURCE, True),
        (STATE, (ROLLBACK,), SOURCE, False),
        (CHANGED, (), SOURCE, False),
        (CHANGED, (replace(ROLLBACK, is_rollback=False), ROLLBACK), SOURCE, False),
        (CHANGED, (ROLLBACK,), replace(SOURCE, commit="a" * 40), False),
        (CHANGED, (ROLLBACK,), replace(SOURCE, commit="a" * 40, dirty=True), True),
    ],
)
def test_a_plan_that_may_undo_a_rollback_says_so(state: Any, records: Any, source: Any, warned: bool) -> None:
    plan = build_plan(
        state, remembering(deployed(STATE), *records), address=ADDRESS, source=source, options=PlanOptions()
    )
    assert (WARNING in plan.warnings) is warned
