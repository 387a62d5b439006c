from typing import Any

import pytest

from reconciler.apply.errors import LostUpdate, StateUnknown
from reconciler.apply.events import RollbackStarted
from reconciler.apply.outcome import Result
from reconciler.serve.errors import BadAnswer, PutRefused, Unreachable
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import Stage, staged
from tests.support.states import desired
from tests.support.trouble import BROKEN, CHAT, CODER, ONE, RESTARTED, TWO, applications, away, raising, restarted


@pytest.mark.parametrize("error", [PutRefused(400, "bad"), PutRefused(500, "bad"), Unreachable("timed out")])
def test_what_was_stored_in_spite_of_an_error_counts_as_sent(error: Exception) -> None:
    stage = staged(ONE)
    stage.serve.after_put = raising(error)
    assert stage.apply(RESTARTED)[CHAT].result is Result.APPLIED
    assert len(stage.serve.puts) == 1


def test_a_put_that_did_not_arrive_is_sent_again() -> None:
    stage = staged(ONE)
    stage.serve.before_put = raising(Unreachable("connection reset"), times=2)
    assert stage.apply(RESTARTED)[CHAT].result is Result.APPLIED
    assert len(stage.serve.puts) == 1


def test_a_put_is_not_sent_again_for_ever() -> None:
    stage = staged(ONE)
    stage.serve.before_put = raising(Unreachable("connection reset"), times=99)
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message == "the cluster did not take the document, and nothing changed: connection reset"


def test_a_refused_document_fails_its_wave_and_skips_the_rest() -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.apply(TWO)
    stage.serve.before_put = raising(PutRefused(400, "num_replicas hf_abcdefghijkl"), times=9)
    outcomes = stage.apply(desired(restarted("org/chat"), restarted("org/coder")))
    assert outcomes[CHAT].result is Result.FAILED
    assert "num_replicas (hidden)" in outcomes[CHAT].message
    assert outcomes[CODER].result is Result.SKIPPED
    assert len(stage.serve.puts) == 1


@pytest.mark.parametrize("fault", ["lost", "redacted"])
def test_an_unbelievable_report_stops_it_before_anything_is_written(fault: str) -> None:
    secret = light_config("secretive", env={"TOKEN": "x"})
    stage = staged(ONE, secret)
    plan = stage.plan(RESTARTED)
    setattr(stage.serve, fault, True)
    with pytest.raises(StateUnknown) as raised:
        stage.carry_out(plan)
    assert raised.value.hint
    assert stage.serve.puts == []
    assert [outcome.result for outcome in raised.value.outcomes] == [Result.SKIPPED]


def test_an_unbelievable_report_after_the_put_stops_it() -> None:
    stage = staged(ONE)
    stage.serve.after_put = lambda document: setattr(stage.serve, "lost", True)
    with pytest.raises(StateUnknown):
        stage.apply(RESTARTED)
    assert len(stage.serve.puts) == 1


def test_a_dashboard_that_is_away_for_a_moment_fails_nobody() -> None:
    stage = staged(ONE)
    away(stage, first=4, last=30)
    assert stage.apply(RESTARTED)[CHAT].result is Result.APPLIED


def test_a_dashboard_that_stays_away_ends_the_waiting() -> None:
    stage = staged(ONE)
    away(stage, first=4, last=10_000)
    with pytest.raises(StateUnknown, match="gone") as raised:
        stage.apply(RESTARTED)
    assert [outcome.message for outcome in raised.value.outcomes] == [
        "the cluster cannot be read any more while it was on its way; Ray goes on, and running apply again resumes"
    ]


def ignoring(stage: Stage, times: int) -> None:
    """The first PUTs are answered as if they had been taken, and reach nobody."""
    put, left = stage.serve.put, [times]

    def ignore(document: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            put(document)

    stage.serve.put = ignore  # type: ignore[method-assign]


def test_a_put_that_was_accepted_but_not_stored_is_sent_again() -> None:
    stage = staged(ONE)
    ignoring(stage, 2)
    assert stage.apply(RESTARTED)[CHAT].result is Result.APPLIED
    assert len(stage.serve.puts) == 1


def test_what_is_never_stored_is_told_as_it_is() -> None:
    stage = staged(ONE)
    ignoring(stage, 99)
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.FAILED
    assert "the dashboard's address answered 200, but the cluster stands as it stood before" in outcome.message
    assert stage.serve.puts == []


def test_somebody_who_puts_back_what_was_there_is_no_lost_answer() -> None:
    stage = staged(ONE)
    before = {**stage.live().options, "applications": applications(stage)}

    def intruder(document: object) -> None:
        stage.serve.after_put = None
        stage.serve.advance(0.1)
        stage.serve.intrude(before)

    stage.serve.after_put = intruder
    with pytest.raises(LostUpdate, match=f"changed: .*`{CHAT}`"):
        stage.apply(RESTARTED)
    assert len(stage.serve.puts) == 1


@pytest.mark.parametrize("error", [Unreachable("gone"), BadAnswer("answered 500")])
def test_a_rollback_looks_again_when_the_cluster_cannot_be_read_for_a_moment(error: Exception) -> None:
    stage = staged(ONE)
    left = [2]

    def hook() -> None:
        if left[0] and any(isinstance(event, RollbackStarted) for event in stage.events):
            left[0] -= 1
            raise error

    stage.serve.before_read = hook
    assert stage.apply(BROKEN)[CHAT].result is Result.ROLLED_BACK
    assert left == [0]
