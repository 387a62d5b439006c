"""What jobs and the lease on them do, on the fake and on real Ray alike."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.errors import LeaseHeld, LeaseLost
from reconciler.apply.lease import Lease, Terms
from reconciler.apply.lease_keeper import LeaseKeeper
from reconciler.apply.lease_record import Claim
from reconciler.apply.stop import StopSignal
from reconciler.apply.unlock import end_by_force, standing
from reconciler.serve.job import JobStatus
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.protocols import ClusterJobs
from reconciler.serve.rest import RestClient
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe

TAKERS = 6
SHORT = Terms(ttl_s=5.0, renew_s=2.0, margin_s=1.0)
"""For what is to end by itself."""
LONG = Terms(ttl_s=120.0, renew_s=2.0, margin_s=20.0)
"""For what is to last, on a machine that may be busy."""
PATIENCE_S = 300.0
HOLDER = """
import sys, time
from reconciler.apply.clock import SystemClock
from reconciler.apply.lease import Lease, Terms
from reconciler.apply.lease_record import Claim
from reconciler.serve.rest import RestClient

token = sys.stdin.readline().strip() or None
with RestClient(sys.argv[1], token=token) as client:
    lease = Lease(client, Claim("the dead", "elsewhere", "tests", None, "1"), SystemClock(), Terms(5.0, 2.0, 1.0))
    assert lease.take() is None
    print("held", flush=True)
    time.sleep(600)
"""


@dataclass
class Place:
    """A cluster with jobs, and its time."""

    jobs: ClusterJobs
    clock: Clock
    cluster: LocalCluster | None = None

    def lease(self, who: str = "me", terms: Terms = LONG) -> Lease:
        return Lease(self.jobs, Claim(who, "here", "tests", None, "1"), self.clock, terms)

    def until(self, reached: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Let time pass until it is so."""
        begun = self.clock.now()
        while not reached():
            assert self.clock.now() - begun < limit_s
            self.clock.sleep(0.5)

    def status(self, job_id: str) -> JobStatus | None:
        return next((job.status for job in self.jobs.jobs() if job.job_id == job_id), None)


@pytest.fixture(params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The fake and the real thing, with a lease that nobody holds."""
    if request.param == "fake":
        fake = FakeServe()
        yield Place(fake, FakeClock(fake))
        return
    cluster, client = request.getfixturevalue("ray_cluster"), request.getfixturevalue("client")
    end_by_force(client, Claim("the test", "before", "tests", None, "1"))
    yield Place(client, SystemClock(), cluster)
    end_by_force(client, Claim("the test", "after", "tests", None, "1"))


def unused(place: Place) -> str:
    """An id that no job has."""
    return f"contract-{len(place.jobs.jobs())}-{time.time_ns()}"


def test_of_several_that_submit_the_same_id_one_has_it(place: Place) -> None:
    job_id = unused(place)
    with ThreadPoolExecutor(TAKERS) as takers:
        answers = list(
            takers.map(lambda taker: place.jobs.submit_job(job_id, "true", {"taker": str(taker)}), range(TAKERS))
        )
    assert sorted(answers) == [False] * (TAKERS - 1) + [True]
    [job] = [job for job in place.jobs.jobs() if job.job_id == job_id]
    assert job.metadata == {"taker": str(answers.index(True))}


def test_an_id_is_taken_until_its_ended_job_is_forgotten(place: Place) -> None:
    job_id = unused(place)
    assert place.jobs.submit_job(job_id, "true", {})
    place.until(lambda: place.status(job_id) is JobStatus.SUCCEEDED)
    assert not place.jobs.submit_job(job_id, "true", {})
    # Right after its end Ray would list it again, as a failed one.
    place.clock.sleep(3.0)
    place.jobs.delete_job(job_id)
    assert place.status(job_id) is None
    assert place.jobs.submit_job(job_id, "true", {})


def test_a_job_sleeps_until_it_is_stopped(place: Place) -> None:
    job_id = unused(place)
    place.jobs.submit_job(job_id, "sleep 600", {})
    place.until(lambda: place.status(job_id) is JobStatus.RUNNING)
    place.jobs.stop_job(job_id)
    place.until(lambda: place.status(job_id) is JobStatus.STOPPED)
    place.jobs.stop_job(job_id)


def test_stopping_and_forgetting_what_was_never_there_does_nothing(place: Place) -> None:
    place.jobs.stop_job(unused(place))
    place.jobs.delete_job(unused(place))


def test_of_several_takers_one_holds_the_lease(place: Place) -> None:
    leases = [place.lease(f"taker {number}") for number in range(TAKERS)]
    with ThreadPoolExecutor(TAKERS) as takers:
        holders = list(takers.map(lambda lease: lease.take(), leases))
    [winner] = [index for index, holder in enumerate(holders) if holder is None]
    assert {holder.claim.who for holder in holders if holder} == {f"taker {winner}"}
    leases[winner].check()
    for index, lease in enumerate(leases):
        if index != winner:
            with pytest.raises(LeaseLost):
                lease.check()


def test_a_released_lease_is_free_at_once(place: Place) -> None:
    first, second = place.lease("first"), place.lease("second")
    assert first.take() is None
    assert second.take() is not None
    assert first.release()
    assert second.take() is None
    second.check()
    with pytest.raises(LeaseLost):
        first.check()
    second.release()


def test_it_is_renewed_and_others_wait(place: Place) -> None:
    lease, other = place.lease(), place.lease("other")
    assert lease.take() is None
    for _ in range(2):
        place.clock.sleep(LONG.renew_s + 1.0)
        lease.check()
        assert other.take() is not None
    with pytest.raises(LeaseHeld, match="me from here"):
        other.acquire(0.0, lambda holder, waited: lease.check(), StopSignal())
    lease.release()


def test_a_person_ends_it_by_force(place: Place) -> None:
    lease, other = place.lease(), place.lease("other")
    assert lease.take() is None
    ended = end_by_force(place.jobs, Claim("a person", "a desk", "tests", None, "1"))
    assert ended is not None
    assert ended.claim.who == "me"
    with pytest.raises(LeaseLost, match="a person from a desk ended its lease by force"):
        lease.check()
    assert other.take() is None
    other.release()


def test_what_is_not_renewed_ends(place: Place) -> None:
    lease, other = place.lease(terms=SHORT), place.lease("other")
    assert lease.take() is None
    waited = other.acquire(PATIENCE_S, lambda holder, waited: None, StopSignal())
    assert waited is not None
    assert waited >= SHORT.ttl_s
    with pytest.raises(LeaseLost, match="its lease ran out and other from here took the next one"):
        lease.check()
    other.release()


@pytest.mark.ray
def test_the_lease_of_a_killed_run_ends(ray_cluster: LocalCluster, client: RestClient) -> None:
    place = Place(client, SystemClock(), ray_cluster)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, ray_cluster.dashboard_address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert holder.stdin is not None and holder.stdout is not None
    with holder:
        holder.stdin.write(f"{ray_cluster.token or ''}\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    lease = place.lease()
    held = lease.take()
    assert held is not None
    assert held.claim.who == "the dead"
    assert lease.acquire(PATIENCE_S, lambda holder, waited: None, StopSignal()) is not None
    lease.check()
    lease.release()


@pytest.mark.ray
def test_a_keeper_renews_while_its_run_does_something_else(client: RestClient) -> None:
    place = Place(client, SystemClock())
    terms = Terms(ttl_s=10.0, renew_s=1.0, margin_s=2.0)
    lease, other = place.lease(terms=terms), place.lease("other")
    assert lease.take() is None
    begun = time.monotonic()
    with LeaseKeeper(lease) as keeper:
        while time.monotonic() - begun < terms.ttl_s * 1.3:
            assert other.take() is not None
            time.sleep(0.5)
        assert lease.number is not None
        assert lease.number >= 3
        lease.check()
    assert keeper.released
    newest = standing(client)
    assert newest is not None
    assert not newest.is_held
