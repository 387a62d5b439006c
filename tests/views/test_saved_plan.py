import json
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.plan.file import dump, load
from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.saved_plan import saved_plan
from tests.support import samples


@pytest.mark.parametrize("plan", [samples.first_plan(), samples.mixed_plan(), samples.costly_plan(), samples.plan()])
def test_a_plan_file_shows_what_the_plan_showed(plan: samples.Plan) -> None:
    text = dump(plan, created=datetime(2026, 1, 2, tzinfo=UTC), lifetime=timedelta(hours=1))
    saved = saved_plan(load(text).document)
    assert plan_text(saved) == plan_text(plan)
    assert plan_markdown(saved) == plan_markdown(plan)
    assert (saved.options, saved.daily_cost) == (plan.options, plan.daily_cost)
    assert [(action.cost, action.timeout_basis) for action in saved.actions] == [
        (action.cost, action.timeout_basis) for action in plan.actions
    ]


def test_a_plan_file_of_an_older_minor_version_is_shown_without_what_it_lacks() -> None:
    text = dump(samples.costly_plan(), created=datetime(2026, 1, 2, tzinfo=UTC), lifetime=timedelta(hours=1))
    document = json.loads(text)
    del document["daily_cost"]
    for wave in document["waves"]:
        for action in wave["actions"]:
            del action["cost"], action["timeout_basis"]
            for key in ("batch", "batch_share", "serving"):
                action["rollout"] and action["rollout"].pop(key)
    found = saved_plan(document)
    assert found.daily_cost is None
    assert {action.cost for action in found.actions} == {None}


def test_keys_of_a_newer_minor_version_are_left_out() -> None:
    text = dump(samples.mixed_plan(), created=datetime(2026, 1, 2, tzinfo=UTC), lifetime=timedelta(hours=1))
    document = json.loads(text)
    for mapping in (document, document["source"], document["options"], document["capacity"]):
        mapping["new"] = 1
    for wave in document["waves"]:
        for action in wave["actions"]:
            action["new"] = 1
            if action["position"]:
                action["position"]["new"] = 1
    assert plan_text(saved_plan(document)) == plan_text(samples.mixed_plan())
