"""Two registries that are applied to one cluster at the same time, in every order that chance comes upon."""

from dataclasses import dataclass

import pytest

from reconciler.state.live import LiveState
from tests.support.fake_serve import FakeServe
from tests.support.racer import Racer
from tests.support.seat import Seat
from tests.support.turns import Turns, run_in_turns

NAMES = ("left", "right")
CHANGES = 4
FEW, MANY = range(12), range(12, 1000)


@dataclass
class Race:
    """What is left of one."""

    serve: FakeServe
    seats: list[Seat]
    racers: list[Racer]

    @property
    def losses(self) -> list[str]:
        """Everything that one took from the other."""
        return [name for seat in self.seats for loss in seat.losses for name in loss]

    def live(self) -> LiveState:
        return self.serve.settle()


def race(seed: int, *, leased: bool, tells: bool = True) -> Race:
    """Both change and apply their registry a few times."""
    serve = FakeServe({"node-1": {"CPU": 10_000.0}})
    serve.startup_s = 1.0
    turns = Turns(NAMES, seed)
    seats = [Seat(serve, turns, name, tells) for name in NAMES]
    racers = [Racer(seat.name, seat, seat, leased, seed) for seat in seats]
    run_in_turns(turns, {racer.name: lambda racer=racer: racer.run(CHANGES) for racer in racers})  # type: ignore[misc]
    return Race(serve, seats, racers)


def assert_nothing_is_lost(seed: int) -> None:
    """With the lease no write of one ever meets a write of the other."""
    run = race(seed, leased=True)
    live = run.live()
    for racer in run.racers:
        assert racer.stands(live, racer.configs), seed
        assert (racer.lost, racer.changed) == ([], []), seed
    assert run.losses == [], seed


def assert_every_loss_is_noticed(seed: int) -> int:
    """Without it a PUT that took something from the other is a `LostUpdate` for who sent it; how many there were."""
    run = race(seed, leased=False)
    for seat, racer in zip(run.seats, run.racers, strict=True):
        harmful = [loss for loss in seat.losses if loss]
        assert len(racer.lost) >= len(harmful), (seed, racer.lost, harmful)
        for error in racer.lost:
            assert error.writers or error.differences, seed
    return len(run.losses)


@pytest.mark.parametrize("seed", FEW)
def test_with_the_lease_nothing_is_lost(seed: int) -> None:
    assert_nothing_is_lost(seed)


def test_without_it_every_loss_is_noticed() -> None:
    assert sum(assert_every_loss_is_noticed(seed) for seed in FEW) > 0, "no order in which anything was lost"


@pytest.mark.soak
def test_with_the_lease_nothing_is_lost_however_often() -> None:
    for seed in MANY:
        assert_nothing_is_lost(seed)


@pytest.mark.soak
def test_without_it_every_loss_is_noticed_however_often() -> None:
    for seed in MANY:
        assert_every_loss_is_noticed(seed)
