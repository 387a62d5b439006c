import threading
from collections.abc import Callable

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.apply.errors import LeaseLost
from reconciler.apply.lease import Lease, Terms
from reconciler.apply.lease_keeper import LeaseKeeper
from reconciler.apply.lease_record import Claim
from reconciler.apply.unlock import end_by_force, standing
from reconciler.serve.errors import Unreachable
from tests.support.fake_jobs import FakeJobs

ME = Claim("me", "laptop", "team-a", None, "1.0")
OFTEN = Terms(ttl_s=1000.0, renew_s=0.01, margin_s=10.0)


@pytest.fixture
def board() -> FakeJobs:
    return FakeJobs()


def held(board: FakeJobs) -> Lease:
    lease = Lease(board, ME, SystemClock(), OFTEN)
    assert lease.take() is None
    return lease


def told(board: FakeJobs, times: int) -> Callable[[str], None]:
    """Tells `times` renewals."""
    left = threading.Semaphore(0)

    def count(call: str) -> None:
        if call == "submit":
            left.release()

    board.after = count

    def wait(_: str = "") -> None:
        for _ in range(times):
            assert left.acquire(timeout=60)

    return wait


def test_it_renews_until_it_is_left_and_gives_the_lease_back(board: FakeJobs) -> None:
    renewed = told(board, 3)
    with LeaseKeeper(held(board)) as keeper:
        renewed("")
    assert keeper.released
    taken = len(board.submitted)
    newest = standing(board)
    assert newest is not None
    assert (newest.kind, newest.number) == ("release", taken)


def test_it_is_given_back_when_something_fails(board: FakeJobs) -> None:
    keeper = LeaseKeeper(held(board))
    with pytest.raises(KeyboardInterrupt), keeper:
        raise KeyboardInterrupt
    assert keeper.released


def test_it_goes_on_when_the_cluster_was_away(board: FakeJobs) -> None:
    def away(call: str) -> None:
        if call == "list":
            board.before = None
            raise Unreachable("gone")

    lease = held(board)
    renewed = told(board, 2)
    board.before = away
    with LeaseKeeper(lease):
        renewed("")
    assert board.before is None


def test_it_stops_once_the_lease_is_lost(board: FakeJobs) -> None:
    lease = held(board)
    end_by_force(board, ME)
    with LeaseKeeper(lease) as keeper:
        keeper._thread.join(timeout=60)
        assert not keeper._thread.is_alive()
        with pytest.raises(LeaseLost):
            lease.check()
    assert board.submitted == ["reconciler-lease-1", "reconciler-lease-2"]
