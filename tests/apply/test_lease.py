import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.apply.errors import LeaseHeld, LeaseLost, NoLease
from reconciler.apply.lease import GRACE_S, Lease, Terms
from reconciler.apply.lease_record import Claim, LeaseRecord, records
from reconciler.apply.stop import StopSignal
from reconciler.apply.unlock import end_by_force, standing
from reconciler.serve.errors import JobsUnusable, ServeError, Unauthorized, Unreachable
from reconciler.serve.job import Job, JobStatus
from tests.support.fake_jobs import FakeJobs

TERMS = Terms(ttl_s=180.0, renew_s=60.0, margin_s=60.0)
ME = Claim("me", "laptop", "team-a", "c" * 40, "1.0")
YOU = Claim("you", "https://ci.example/run/7", "team-b", None, "1.0")


class Cluster:
    """Jobs in memory, their time, and the runs that want the lease."""

    def __init__(self) -> None:
        self.board = FakeJobs()
        self.time = 1_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.time += 0.5
            self.board.advance(0.5)

    def wall(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.time)

    def lease(self, claim: Claim = ME) -> Lease:
        return Lease(self.board, claim, self, TERMS, wall=self.wall)

    def held(self, claim: Claim = ME) -> Lease:
        """A lease that was taken and runs."""
        lease = self.lease(claim)
        assert lease.take() is None
        self.sleep(2)
        return lease

    @property
    def ids(self) -> list[str]:
        return [record.job_id for record in records(self.board.jobs())]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def once(error: Exception, call: str, times: int = 1) -> Callable[[str], None]:
    """Raise at the first calls of that name."""
    left = [times]

    def hook(called: str) -> None:
        if called == call and left[0]:
            left[0] -= 1
            raise error

    return hook


def nobody(holder: LeaseRecord, waited: float) -> None:
    raise AssertionError("nobody should be told of having to wait")


def test_the_first_one_takes_it_and_the_second_is_told_who_has_it(cluster: Cluster) -> None:
    assert cluster.lease().take() is None
    holder = cluster.lease(YOU).take()
    assert holder is not None
    assert (holder.number, holder.claim, holder.status) == (1, ME, JobStatus.PENDING)
    assert holder.holder == "me from laptop"
    assert holder.times == "since 2026-01-02T00:16:40+00:00, until 2026-01-02T00:19:40+00:00 unless renewed"


def test_a_released_lease_is_taken_with_the_next_number(cluster: Cluster) -> None:
    first = cluster.held()
    assert first.release()
    assert first.number is None
    second = cluster.held(YOU)
    assert second.number == 3, "at once: giving it back took a number"
    second.check()
    with pytest.raises(LeaseLost, match="gave its lease back"):
        first.check()
    with pytest.raises(LeaseLost, match="gave its lease back"):
        first.take()


def test_a_release_that_could_only_stop_its_job_bothers_nobody(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.before = once(Unreachable("gone"), "submit")
    assert lease.release()
    waited = cluster.lease(YOU).acquire(0.0, nobody, StopSignal())
    assert waited is not None
    assert 0 < waited < GRACE_S


def test_a_run_that_died_keeps_others_waiting_until_its_lease_ends(cluster: Cluster) -> None:
    cluster.held()
    told: list[tuple[str, float]] = []
    lease = cluster.lease(YOU)
    waited = lease.acquire(600.0, lambda holder, waited: told.append((holder.claim.who, waited)), StopSignal())
    assert waited is not None
    assert TERMS.ttl_s - 5 < waited < TERMS.ttl_s + 5
    assert told[0] == ("me", GRACE_S)
    assert lease.number == 2


def test_waiting_has_an_end(cluster: Cluster) -> None:
    cluster.held()
    with pytest.raises(LeaseHeld, match=r"me from laptop writes to the cluster now \(since 2026-"):
        cluster.lease(YOU).acquire(30.0, lambda holder, waited: None, StopSignal())


def test_waiting_ends_when_a_stop_is_requested(cluster: Cluster) -> None:
    cluster.held()
    stop = StopSignal()
    assert cluster.lease(YOU).acquire(600.0, lambda holder, waited: stop.request(), stop) is None


def test_it_is_renewed_as_long_as_its_holder_lives(cluster: Cluster) -> None:
    lease = cluster.held()
    for _ in range(20):
        cluster.sleep(60)
        lease.renew()
        assert cluster.lease(YOU).take() is not None
    assert lease.number == 21
    lease.check()
    [newest, *older] = records(cluster.board.jobs())
    assert newest.since == "2026-01-02T00:16:40+00:00", "since the run took it, not since it was renewed"
    assert len(older) <= 2, "what was renewed is forgotten"


def test_only_the_newest_number_counts(cluster: Cluster) -> None:
    lease = cluster.held()
    lease.renew()
    cluster.sleep(3)
    assert [record.status for record in records(cluster.board.jobs())] == [JobStatus.RUNNING, JobStatus.STOPPED]
    lease.check()
    assert lease.number == 2


def test_a_check_renews_what_is_old(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.sleep(70)
    lease.check()
    assert lease.number == 2


def test_a_run_that_slept_takes_it_again_when_nobody_else_did(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.sleep(1000)
    lease.check()
    assert lease.number == 2


def test_a_run_that_slept_is_fenced_when_somebody_else_took_it(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.sleep(1000)
    other = cluster.held(YOU)
    other.release()
    cluster.sleep(5)
    with pytest.raises(LeaseLost, match=r"ran out and you from https://ci.example/run/7 took the next one"):
        lease.check()
    with pytest.raises(LeaseLost, match="ran out"):
        lease.renew()
    assert other.number is None
    assert cluster.ids[0] == "reconciler-lease-3", "a fenced run takes no number"


def test_a_lease_whose_job_died_is_taken_again(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.fail("reconciler-lease-1")
    lease.check()
    assert lease.number == 2


def test_a_job_that_somebody_stopped_is_a_lost_lease(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.stop_job("reconciler-lease-1")
    cluster.sleep(2)
    with pytest.raises(LeaseLost, match="somebody stopped the job `reconciler-lease-1`"):
        lease.check()


def test_a_cluster_that_was_restarted_has_forgotten_it(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.restart()
    with pytest.raises(LeaseLost, match="was it restarted"):
        lease.check()


def test_the_same_number_on_a_cluster_that_was_restarted_is_not_ours(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.restart()
    other = cluster.held(YOU)
    assert other.number == lease.number == 1
    with pytest.raises(LeaseLost, match="you from"):
        lease.check()
    lease.release()
    other.check()


def test_a_submission_whose_answer_was_lost_is_recognised(cluster: Cluster) -> None:
    cluster.board.after = once(Unreachable("time-out"), "submit")
    lease = cluster.lease()
    assert lease.take() is None
    assert (lease.number, cluster.board.submitted) == (1, ["reconciler-lease-1"])


def test_a_submission_that_never_came_is_sent_again(cluster: Cluster) -> None:
    cluster.board.before = once(Unreachable("connection reset"), "submit")
    lease = cluster.lease()
    assert lease.acquire(0.0, nobody, StopSignal()) is not None
    assert lease.number == 1


def test_a_submission_that_arrives_late_counts_from_when_it_was_sent(cluster: Cluster) -> None:
    def arrives_later(call: str) -> None:
        if call == "submit":
            cluster.board.before = None
            late.append(cluster.time)
            raise Unreachable("time-out")

    late: list[float] = []
    cluster.board.before = arrives_later
    lease = cluster.lease()
    with pytest.raises(Unreachable):
        lease.take()
    cluster.sleep(130)
    assert lease.take() is None
    cluster.board.before = once(Unreachable("gone"), "submit", 100)
    with pytest.raises(LeaseLost, match="could not be renewed"):
        lease.check()


def test_a_renewal_whose_answer_was_lost_is_recognised(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.after = once(Unreachable("time-out"), "submit")
    lease.renew()
    lease.check()
    assert lease.number == 2


def test_a_renewal_that_fails_does_no_harm_while_the_lease_lasts(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.sleep(70)
    cluster.board.before = once(ServeError("busy"), "submit", 100)
    lease.check()
    cluster.sleep(60)
    with pytest.raises(LeaseLost, match="ran out and could not be renewed"):
        lease.check()


def test_a_dashboard_that_is_away_for_a_moment_is_asked_again(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.before = once(Unreachable("gone"), "list", 3)
    lease.check()


@pytest.mark.parametrize("error", [Unreachable("gone"), Unauthorized("refuses the token")])
def test_what_cannot_be_told_is_not_trusted(cluster: Cluster, error: ServeError) -> None:
    lease = cluster.held()
    cluster.board.before = once(error, "list", 100)
    with pytest.raises(LeaseLost, match=f"cannot be told: {error.message}"):
        lease.check()
    cluster.board.before = None
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_cluster_without_jobs_has_no_lease(cluster: Cluster) -> None:
    cluster.board.before = once(JobsUnusable("it answered 404"), "list", 100)
    with pytest.raises(NoLease, match="it answered 404") as raised:
        cluster.lease().acquire(600.0, nobody, StopSignal())
    assert "`--no-lease`" in raised.value.hint


def test_a_dashboard_that_stays_away_is_an_error_of_its_own(cluster: Cluster) -> None:
    cluster.board.before = once(Unreachable("gone"), "list", 100)
    with pytest.raises(Unreachable):
        cluster.lease().acquire(600.0, nobody, StopSignal())


def test_a_job_that_stays_pending_holds_it(cluster: Cluster) -> None:
    cluster.board.starts = False
    lease = cluster.held()
    cluster.sleep(50)
    lease.check()
    assert cluster.lease(YOU).take() is not None


def test_the_job_of_somebody_else_with_such_a_name_counts(cluster: Cluster) -> None:
    cluster.board.submit_job("reconciler-lease-7", "sleep 30", {"who": "x\x1b[2J" + "y" * 1000})
    holder = cluster.lease().take()
    assert holder is not None
    assert holder.number == 7
    assert holder.claim.who == "x[2J" + "y" * 196, "what anybody wrote is safe to print"
    cluster.sleep(40)
    assert cluster.held().number == 8


def test_a_job_without_a_word_is_named_by_its_id(cluster: Cluster) -> None:
    cluster.board.submit_job("reconciler-lease-2", "sleep 30", {})
    holder = cluster.lease().take()
    assert holder is not None
    assert (holder.holder, holder.times) == (
        "somebody who does not say who (job `reconciler-lease-2`)",
        "for as long as its job runs",
    )


def test_other_jobs_are_none_of_its_business(cluster: Cluster) -> None:
    for name in (
        "reconciler-lease-",
        "reconciler-lease-07",
        "reconciler-lease-x",
        "my-reconciler-lease-9",
        "raysubmit_1",
    ):
        cluster.board.submit_job(name, "sleep 1000", {})
    assert cluster.held().number == 1
    assert records([Job("reconciler-lease-0", JobStatus.RUNNING, {})]) == ()


def test_old_records_are_forgotten_and_the_newest_ten_kept(cluster: Cluster) -> None:
    for _ in range(15):
        lease = cluster.held()
        lease.release()
        cluster.sleep(3)
    numbers = [record.number for record in records(cluster.board.jobs())]
    assert numbers[:2] == [30, 29]
    assert 10 <= len(numbers) <= 12


def test_a_number_that_was_forgotten_and_taken_again_wins_nothing(cluster: Cluster) -> None:
    late = cluster.lease()

    def meanwhile(call: str) -> None:
        # Between the look and the submission of the late one, others come and go, and what it wants is forgotten.
        if call == "submit":
            cluster.board.before = None
            for _ in range(15):
                cluster.held(YOU).release()
                cluster.sleep(3)
            cluster.held(YOU)

    cluster.board.before = meanwhile
    holder = late.take()
    assert holder is not None
    assert (holder.number, holder.claim) == (31, YOU)
    cluster.sleep(3)
    assert [record.number for record in records(cluster.board.jobs()) if not record.status.has_ended] == [31]


def test_a_release_that_fails_says_so(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.before = once(Unreachable("gone"), "stop")
    assert not lease.release()


def test_a_release_stops_a_renewal_whose_answer_was_lost(cluster: Cluster) -> None:
    lease = cluster.held()
    cluster.board.after = once(Unreachable("gone"), "submit")
    cluster.board.before = lambda call: (
        None if cluster.board.calls[-2:-1] != ["submit"] else once(Unreachable("x"), "list")(call)
    )
    with pytest.raises(Unreachable):
        lease.renew()
    cluster.board.before = None
    assert lease.release()
    cluster.sleep(3)
    assert all(record.status.has_ended for record in records(cluster.board.jobs()))
    assert cluster.held(YOU).number == 4


def test_a_person_ends_it_by_force(cluster: Cluster) -> None:
    lease = cluster.held()
    ended = end_by_force(cluster.board, YOU, cluster.wall)
    assert ended is not None
    assert ended.claim == ME
    assert cluster.held(YOU).number == 3
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_run_is_told_who_ended_its_lease(cluster: Cluster) -> None:
    lease = cluster.held()
    end_by_force(cluster.board, YOU, cluster.wall)
    with pytest.raises(LeaseLost, match=r"you from https://ci.example/run/7 ended its lease by force"):
        lease.check()


def test_a_lease_that_is_renewed_at_the_same_moment_is_ended_all_the_same(cluster: Cluster) -> None:
    lease = cluster.held()

    def renews(call: str) -> None:
        if call == "submit":
            cluster.board.before = None
            lease.renew()

    cluster.board.before = renews
    ended = end_by_force(cluster.board, YOU, cluster.wall)
    assert ended is not None
    assert ended.number == 1
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_lease_is_ended_by_force_where_no_job_starts(cluster: Cluster) -> None:
    cluster.board.starts = False
    cluster.held()
    end_by_force(cluster.board, YOU, cluster.wall)
    assert cluster.held(YOU).number == 3


def test_nothing_is_ended_where_nobody_holds_it(cluster: Cluster) -> None:
    assert end_by_force(cluster.board, YOU) is None
    assert standing(cluster.board) is None
    cluster.held().release()
    cluster.sleep(3)
    assert end_by_force(cluster.board, YOU) is None
    assert cluster.board.submitted == ["reconciler-lease-1", "reconciler-lease-2"]


def test_a_holder_that_never_gives_in_is_an_error(cluster: Cluster) -> None:
    def steals(call: str) -> None:
        if call == "submit":
            hook, cluster.board.before = cluster.board.before, None
            newest = standing(cluster.board)
            assert newest is not None
            cluster.board.submit_job(f"reconciler-lease-{newest.number + 1}", "sleep 60", {})
            cluster.board.before = hook

    cluster.held()
    cluster.board.before = steals
    with pytest.raises(ServeError, match="again and again"):
        end_by_force(cluster.board, YOU)


def test_nothing_secret_is_written_beside_the_job(cluster: Cluster) -> None:
    cluster.held()
    [job] = cluster.board.jobs()
    assert set(job.metadata) == {"reconciler", "kind", "nonce", "who", "where", "owner", "commit", "since", "until"}
    assert set(dataclasses.astuple(ME)) <= set(job.metadata.values())
