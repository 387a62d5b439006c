from dataclasses import replace

from reconciler.plan.standing import standing
from reconciler.state.live import ApplicationStatus
from tests.support.states import OWNER, deployed, desired, foreign, live, live_application, model, override_of

STATE = desired(model("org/chat"), model("org/coder"))
BEFORE = deployed(STATE)


def test_the_same_stands_there_however_it_is_listed_and_whatever_others_do() -> None:
    shuffled = live(*reversed(BEFORE.applications), foreign())
    assert standing(shuffled, OWNER) == standing(BEFORE, OWNER)
    assert len(standing(BEFORE, OWNER)) == 16


def test_what_is_no_difference_does_not_count() -> None:
    chat = STATE.applications[1].application.config
    surging = {**chat, "deployments": [{**override_of(chat, "org/chat"), "max_surge_percent": 50}]}
    gateway = STATE.applications[0].application.config
    user_config = {**gateway["deployments"][0]["user_config"], "provenance": {"who": "ci"}}
    recorded = {**gateway, "deployments": [{**gateway["deployments"][0], "user_config": user_config}]}
    others = [entry for entry in BEFORE.applications if entry.name not in ("org--chat", "gateway")]
    assert standing(live(*others, live_application(surging), live_application(recorded)), OWNER) == standing(
        BEFORE, OWNER
    )


def test_another_model_config_or_owner_is_something_else() -> None:
    changed = deployed(desired(model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}), model("org/coder")))
    fewer = deployed(desired(model("org/chat")))
    found = {standing(state, OWNER) for state in (BEFORE, changed, fewer)} | {standing(BEFORE, "somebody-else")}
    assert len(found) == 4


def test_what_ray_is_deleting_does_not_stand_any_more() -> None:
    leaving = replace(BEFORE.applications[-1], status=ApplicationStatus.DELETING)
    without = live(*BEFORE.applications[:-1])
    assert standing(live(*BEFORE.applications[:-1], leaving), OWNER) == standing(without, OWNER)
