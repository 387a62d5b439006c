"""An apply that is stopped, or killed, at any step: running it again ends where the first run would have."""

from collections.abc import Callable

import pytest

from reconciler.apply.outcome import Result
from reconciler.apply.resume import unsettled
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import NEIGHBOUR, Stage, staged
from tests.support.states import desired, model
from tests.support.trouble import BROKEN, CHAT, CHAT_MODEL, CODER, ONE, RESTARTED, TWO, restarted

NEW = model("org/new")
WANTED = desired(restarted("org/chat"), restarted("org/coder"), NEW)
"""From `TWO`, on three GPUs: the gateway and a restart, another restart, and a create, in more than one wave."""


class Killed(BaseException):
    """What no handler catches."""


def crowded() -> Stage:
    """Two models on a cluster where not everything can be replaced at once."""
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.serve.intrude({**stage.live().options, "applications": [NEIGHBOUR]})
    stage.serve.settle()
    stage.apply(TWO)
    return stage


def at_step(stage: Stage, number: int, act: Callable[[], None]) -> list[str]:
    """Act at that step, counted from 1: before a read, before a PUT, after a PUT, at a question. The steps taken."""
    taken: list[str] = []

    def step(name: str) -> None:
        taken.append(name)
        if len(taken) == number:
            act()

    stage.serve.before_read = lambda: step("read")
    stage.serve.before_put = lambda document: step("before put")
    stage.serve.after_put = lambda document: step("after put")
    stage.smoke.trouble = lambda model_id: step("question")
    return taken


def calm(stage: Stage) -> None:
    """No more interruptions."""
    stage.stop.requested = False
    stage.serve.before_read = stage.serve.before_put = stage.serve.after_put = None
    stage.smoke.trouble = lambda model_id: None


def all_steps() -> int:
    """How many steps an undisturbed apply takes."""
    stage = crowded()
    plan = stage.plan(WANTED)
    assert len(plan.waves) > 1
    taken = at_step(stage, 0, lambda: None)
    stage.carry_out(plan)
    return len(taken)


def kill() -> None:
    """End the run as a crash does."""
    raise Killed


def assert_converges(stage: Stage, wanted: DesiredState) -> None:
    """Applying again reaches the desired state, with nothing of others touched."""
    for _ in range(3):
        assert not any(outcome.result is Result.FAILED for outcome in stage.resume(wanted).values())
        if not stage.plan(wanted).waves:
            break
    assert stage.plan(wanted).waves == ()
    assert unsettled(wanted, stage.live(), stage.plan(wanted)) == ()
    assert stage.config("neighbour") == NEIGHBOUR
    assert {entry.status for entry in stage.live().applications} == {ApplicationStatus.RUNNING}
    puts = len(stage.serve.puts)
    stage.resume(wanted)
    assert len(stage.serve.puts) == puts


@pytest.mark.parametrize("number", range(1, all_steps() + 1))
def test_a_run_killed_at_any_step_is_repeated_by_running_again(number: int) -> None:
    stage = crowded()
    plan = stage.plan(WANTED)
    at_step(stage, number, kill)
    with pytest.raises(Killed):
        stage.carry_out(plan)
    calm(stage)
    assert_converges(stage, WANTED)


@pytest.mark.parametrize("number", range(1, all_steps() + 1))
def test_a_stop_at_any_step_sends_nothing_more_and_can_be_resumed(number: int) -> None:
    stage = crowded()
    plan = stage.plan(WANTED)
    taken = at_step(stage, number, stage.stop.request)
    outcomes = stage.carry_out(plan)
    assert "before put" not in taken[number:]
    assert len(outcomes) == len(plan.actions)
    assert {outcome.result for outcome in outcomes} <= {Result.APPLIED, Result.SKIPPED}
    for outcome in outcomes:
        assert outcome.result is Result.APPLIED or "again" in outcome.message
    calm(stage)
    assert_converges(stage, WANTED)


def test_a_stop_before_the_start_does_nothing() -> None:
    stage = staged(ONE)
    plan = stage.plan(RESTARTED)
    stage.stop.request()
    (outcome,) = stage.carry_out(plan)
    assert outcome.result is Result.SKIPPED
    assert outcome.message == "not reached, because apply was stopped; running it again goes on"
    assert stage.serve.puts == []


def test_a_stop_leaves_what_is_on_its_way_to_ray() -> None:
    stage = staged(ONE)
    plan = stage.plan(BROKEN)
    stage.serve.after_put = lambda document: stage.stop.request()
    (outcome,) = stage.carry_out(plan)
    assert outcome.result is Result.SKIPPED
    assert outcome.message.startswith("apply was stopped while it was on its way; Ray goes on")
    assert len(stage.serve.puts) == 1


def test_a_stop_during_a_rollback_tells_that_it_is_not_done() -> None:
    stage = staged(ONE)
    plan = stage.plan(BROKEN)
    stage.serve.after_put = lambda document: stage.stop.request() if len(stage.serve.puts) == 2 else None
    (outcome,) = stage.carry_out(plan)
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("; its previous config was put back, but apply was stopped before that was done")
    assert outcome.cause


def test_what_an_earlier_run_sent_is_waited_for_and_asked() -> None:
    stage = staged(ONE)
    stage.serve.after_put = lambda document: stage.stop.request()
    stage.carry_out(stage.plan(TWO))
    calm(stage)
    assert stage.plan(TWO).waves == ()
    stage.serve.advance(1.0)
    outcomes = stage.resume(TWO)
    assert {name: outcome.result for name, outcome in outcomes.items()} == {CODER: Result.APPLIED}
    assert outcomes[CODER].message == "serves now; answered a real request"


def test_what_an_earlier_run_left_failed_is_tried_again_and_named() -> None:
    stage = staged(ONE)
    serving = stage.ids(CHAT)
    stage.apply(BROKEN, keep_failed=True)
    stage.serve.puts.clear()
    outcome = stage.resume(BROKEN)[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("left as it is: replicas of an earlier version go on serving")
    assert outcome.cause and "the GPU ran out of memory" in outcome.cause
    assert len(stage.serve.puts) == 1
    assert stage.ids(CHAT) == serving


def test_held_and_planned_applications_are_not_waited_for() -> None:
    stage = staged(ONE)
    stage.apply(BROKEN, keep_failed=True)
    mended = desired(CHAT_MODEL)
    assert unsettled(mended, stage.live(), stage.plan(mended)) == ()
    assert unsettled(BROKEN, stage.live(), stage.plan(BROKEN)) == ()


def test_a_foreign_application_on_its_way_is_not_waited_for() -> None:
    stage = staged(ONE)
    theirs = light_config("slow", args={"startup_s": 500})
    live = stage.live()
    configs = [entry.application.config for entry in live.applications if entry.application]
    stage.serve.intrude({**live.options, "applications": [*configs, theirs]})
    stage.serve.advance(5.0)
    assert stage.resume(ONE) == {}
