import pytest

from reconciler.apply.events import (
    DocumentSent,
    Event,
    Finished,
    LeaseAwaited,
    LeaseReleased,
    LeaseTaken,
    Phase,
    Progress,
    RollbackStarted,
    SmokeAnswered,
    WaveStarted,
)
from reconciler.apply.outcome import Outcome, Result
from reconciler.views.event_text import event_text
from reconciler.views.style import Style


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (WaveStarted(1, 1, ("a", "b")), "changing a, b"),
        (WaveStarted(2, 3, ("a",)), "step 2 of 3: a"),
        (DocumentSent(4, "wave 1 of 2"), "config with 4 applications accepted (wave 1 of 2)"),
        (Progress("a", Phase.WAITING, "loading", 0, 2, 7.4), "a: waiting, 0 of 2 new replicas, loading, 7 s"),
        (Progress("a", Phase.WAITING, "building", 0, 0, 0.0), "a: waiting, building, 0 s"),
        (Progress("a", Phase.ROLLING_BACK, "", 1, 2, 5.0), "a: rolling back, 1 of 2 replicas, 5 s"),
        (Progress("a", Phase.ASKING, "", 2, 2, 9.0), "a: asking, 2 of 2 new replicas, 9 s"),
        (SmokeAnswered("a", "q", "oh\n\033[2J", 0.25), 'a: answered a real request in 0.2 s: "oh\\n\\x1b[2J"'),
        (SmokeAnswered("a", "q", "", 1.0), "a: answered a real request in 1.0 s"),
        (
            LeaseAwaited("them \033[2J", "S", "U", 30.2),
            "waiting for the lease, 30 s so far: them \\x1b[2J writes to the cluster now, "
            "since S, until U unless renewed",
        ),
        (LeaseTaken(7, 0.2), "lease 7 on the cluster taken"),
        (LeaseTaken(7, 61.0), "lease 7 on the cluster taken after 61 s"),
        (LeaseReleased(True, 180.0), "lease given back"),
        (LeaseReleased(False, 180.0), "the lease could not be given back; it ends by itself within 180 s"),
        (RollbackStarted("a", "no GPU"), "a: failed, going back to what was there: no GPU"),
        (Finished(Outcome("a", Result.APPLIED, "", seconds=61.6)), "a: applied after 62 s"),
    ],
)
def test_every_event_is_one_line(event: Event, expected: str) -> None:
    assert event_text(event) == expected


def test_a_failure_is_red_and_a_success_green() -> None:
    style = Style(colour=True)
    assert event_text(Finished(Outcome("a", Result.FAILED, "")), style).startswith("\033[31m")
    assert event_text(Finished(Outcome("a", Result.APPLIED, "")), style).startswith("\033[32m")
