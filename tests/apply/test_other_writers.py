from dataclasses import replace

import pytest

from reconciler.apply.document import Document
from reconciler.apply.errors import Differences, LiveChanged, LostUpdate
from reconciler.apply.outcome import Result
from reconciler.apply.overwritten import under_update
from reconciler.serve.errors import Unreachable
from reconciler.state.live import LiveState
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


def edited_in_place(stage: Stage) -> None:
    """Somebody changes the neighbour right before our PUT, without another version of its code."""

    def intruder(document: object) -> None:
        stage.serve.before_put = None
        options = {**NEIGHBOUR["deployments"][0], "max_ongoing_requests": 7}
        intrude(stage, {**NEIGHBOUR, "deployments": [options]}, without="neighbour")

    stage.serve.before_put = intruder


def test_an_edit_in_place_at_the_same_moment_is_told_by_the_log() -> None:
    stage = staged(ONE, NEIGHBOUR)
    edited_in_place(stage)
    with pytest.raises(LostUpdate, match=r"at the same moment \(.*by somebody\)") as raised:
        stage.carry_out(stage.plan(RESTARTED))
    assert raised.value.writers == ("somebody",)


@pytest.mark.parametrize("trouble", [None, Unreachable("gone")])
def test_without_the_log_an_edit_in_place_at_the_same_moment_is_not_noticed(
    trouble: Unreachable | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lease is for."""

    def other_writers() -> tuple[str, ...]:
        if trouble is not None:
            raise trouble
        return ()

    stage = staged(ONE, NEIGHBOUR)
    monkeypatch.setattr(stage.serve, "other_writers", other_writers)
    edited_in_place(stage)
    assert [outcome.result for outcome in stage.carry_out(stage.plan(RESTARTED))] == [Result.APPLIED]
    assert stage.config("neighbour") == NEIGHBOUR


def test_an_update_under_way_says_where_somebody_wrote() -> None:
    stage = staged(TWO, NEIGHBOUR)
    before = stage.live()
    document = Document.of_live(before)

    def updating(*names: str, since: LiveState) -> LiveState:
        return replace(
            since,
            applications=tuple(
                replace(entry, deployments=tuple(replace(found, status="UPDATING") for found in entry.deployments))
                if entry.name in names
                else entry
                for entry in since.applications
            ),
        )

    after = updating("neighbour", CHAT, since=before)
    assert under_update(before, document, before) == Differences()
    assert under_update(before, document, after) == Differences(changed=("neighbour", CHAT))
    changed = document.with_config(CHAT, {**stage.config(CHAT), "route_prefix": "/new"})
    assert under_update(before, changed, after) == Differences(changed=("neighbour",)), "what we change is no trace"
    assert under_update(updating("neighbour", since=before), document, after) == Differences(changed=(CHAT,))
    without = replace(before, applications=before.applications[:-1])
    assert under_update(without, document, after) == Differences(changed=("neighbour", CHAT))
