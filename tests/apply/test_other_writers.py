import pytest

from reconciler.apply.errors import LiveChanged, LostUpdate
from reconciler.apply.outcome import Result
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import NEIGHBOUR, Stage, staged
from tests.support.states import desired
from tests.support.trouble import (
    BROKEN,
    CHAT,
    CODER,
    ONE,
    RESTARTED,
    TWO,
    applications,
    intrude,
    later,
    meddling,
    restarted,
)


def test_nothing_is_written_when_the_cluster_changed_since_the_plan() -> None:
    stage = staged(TWO, NEIGHBOUR)
    plan = stage.plan(RESTARTED)
    changed = {**stage.config(CHAT), "route_prefix": "/chat"}
    stranger = light_config("stranger")
    intrusion = {**stage.live().options, "target_capacity": 50.0, "applications": [changed, NEIGHBOUR, stranger]}
    stage.serve.intrude(intrusion)
    with pytest.raises(LiveChanged) as raised:
        stage.carry_out(plan)
    found = raised.value.differences
    assert (found.changed, found.appeared, found.vanished) == ((CHAT,), ("stranger",), ("gateway", CODER))
    assert stage.serve.puts == []
    assert {outcome.result for outcome in raised.value.outcomes} == {Result.SKIPPED}


def test_a_cluster_wide_option_that_changed_stops_it_too() -> None:
    stage = staged(ONE)
    stage.serve.intrude({**stage.live().options, "target_capacity": 50.0, "applications": applications(stage)})
    plan = stage.plan(RESTARTED)
    stage.serve.intrude({**stage.live().options, "target_capacity": 60.0, "applications": applications(stage)})
    with pytest.raises(LiveChanged, match="cluster-wide option changed: `target_capacity`"):
        stage.carry_out(plan)


def test_a_deletion_that_ended_since_the_plan_is_no_change() -> None:
    stage = staged(ONE, NEIGHBOUR)
    stage.serve.intrude({**stage.live().options, "applications": applications(stage, without="neighbour")})
    plan = stage.plan(RESTARTED)
    stage.serve.settle()
    assert stage.live().fingerprint != plan.live_fingerprint
    assert [outcome.result for outcome in stage.carry_out(plan)] == [Result.APPLIED]


def test_a_second_wave_is_not_sent_over_the_change_of_somebody_else() -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.apply(TWO)
    plan = stage.plan(desired(restarted("org/chat"), restarted("org/coder")))
    later(stage, 8, lambda: intrude(stage, NEIGHBOUR))
    with pytest.raises(LiveChanged, match="appeared: `neighbour`") as raised:
        stage.carry_out(plan)
    assert [outcome.result for outcome in raised.value.outcomes] == [Result.APPLIED, Result.SKIPPED]
    assert stage.config("neighbour") == NEIGHBOUR


@pytest.mark.parametrize("hook", ["before_put", "after_put"])
def test_a_write_at_the_same_moment_is_noticed(hook: str) -> None:
    stage = staged(ONE, NEIGHBOUR)

    def intruder(document: object) -> None:
        setattr(stage.serve, hook, None)
        edited = {**NEIGHBOUR, "args": {**NEIGHBOUR["args"], "text": "edited"}}
        intrude(stage, light_config("stranger"), *([edited] if hook == "before_put" else []), without="neighbour")

    setattr(stage.serve, hook, intruder)
    plan = stage.plan(RESTARTED)
    # What was written just before our PUT is gone with it, and leaves traces; what was written after it stands there.
    named = {
        "before_put": r"changed: `neighbour`; appeared: `stranger`",
        "after_put": r"appeared: `stranger`; vanished: `neighbour`",
    }
    with pytest.raises(LostUpdate, match=named[hook]):
        stage.carry_out(plan)


def test_a_rollback_keeps_what_others_deployed_meanwhile() -> None:
    stage = staged(ONE)
    later(stage, 4, lambda: intrude(stage, NEIGHBOUR))
    outcome = stage.apply(BROKEN)[CHAT]
    assert outcome.result is Result.ROLLED_BACK
    assert stage.config("neighbour") == NEIGHBOUR


def test_a_model_that_somebody_changes_meanwhile_is_left_to_them() -> None:
    stage = staged(ONE)
    later(stage, 4, lambda: intrude(stage, {**stage.config(CHAT), "route_prefix": "/mine"}))
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith("somebody else changed it meanwhile")
    assert stage.config(CHAT)["route_prefix"] == "/mine"


def test_a_failed_model_that_somebody_changes_is_not_rolled_back() -> None:
    stage = staged(ONE)
    stage.smoke.trouble = meddling(stage)
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.FAILED
    assert (
        "it could not be rolled back: the cluster changed since the plan was made (changed: `org--chat`)"
        in outcome.message
    )
