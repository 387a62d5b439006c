"""The fence that is asked before each PUT."""

import pytest

from reconciler.apply.errors import LeaseLost
from reconciler.apply.outcome import Result
from reconciler.serve.errors import PutRefused
from tests.support.fake_serve import FakeServe
from tests.support.stage import Stage, staged
from tests.support.states import desired
from tests.support.trouble import BROKEN, CHAT, ONE, RESTARTED, TWO, raising, restarted


class Fence:
    """Open for so many PUTs."""

    def __init__(self, stage: Stage, times: int) -> None:
        self.stage = stage
        self.times = times
        self.asked: list[int] = []
        """How many documents had been sent at each question."""

    def __call__(self) -> None:
        self.asked.append(len(self.stage.serve.puts))
        if len(self.asked) > self.times:
            raise LeaseLost("it was taken")


def test_it_is_asked_before_the_first_put() -> None:
    stage = staged(ONE)
    fence = Fence(stage, 0)
    with pytest.raises(LeaseLost, match="may not write to the cluster any more: it was taken") as raised:
        stage.carry_out(stage.plan(RESTARTED), fence=fence)
    assert stage.serve.puts == []
    assert [outcome.result for outcome in raised.value.outcomes] == [Result.SKIPPED]


def test_it_is_asked_before_every_wave() -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.apply(TWO)
    stage.serve.puts.clear()
    plan = stage.plan(desired(restarted("org/chat"), restarted("org/coder")))
    fence = Fence(stage, 1)
    with pytest.raises(LeaseLost) as raised:
        stage.carry_out(plan, fence=fence)
    assert fence.asked == [0, 1]
    assert [outcome.result for outcome in raised.value.outcomes] == [Result.APPLIED, Result.SKIPPED]


def test_it_is_asked_before_a_document_is_sent_again() -> None:
    stage = staged(ONE)
    stage.serve.before_put = raising(PutRefused(500, "busy"), 2)
    fence = Fence(stage, 2)
    with pytest.raises(LeaseLost):
        stage.carry_out(stage.plan(RESTARTED), fence=fence)
    assert len(fence.asked) == 3
    assert stage.serve.puts == []


def test_a_model_that_fails_is_not_taken_back_by_a_run_that_may_not_write() -> None:
    stage = staged(ONE)
    fence = Fence(stage, 1)
    [outcome] = stage.carry_out(stage.plan(BROKEN), fence=fence)
    assert (outcome.application, outcome.result) == (CHAT, Result.FAILED)
    assert "it could not be rolled back: this run may not write to the cluster any more" in outcome.message
    assert len(stage.serve.puts) == 1
