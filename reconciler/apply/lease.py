"""The lease on a cluster: of all runs that take it, one writes at a time.

Taking it is submitting the job after the newest one, once that has ended: of several that try, Ray lets one through.
The job sleeps for `ttl_s` and ends, so a run that dies holds the lease no longer than that. Renewing is submitting the
next number while the own one still runs; giving it back is submitting one that says so. The number only ever grows, and
before every write the run looks whether the newest one is still its own: a run that was held up, unlocked or overtaken
writes no more. Together with the number goes a nonce, because a cluster that was restarted counts from 1 again.

Time is only ever compared with this machine's monotonic clock, from the moment before a submission was sent: the job
in the cluster sleeps from a later moment on.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from reconciler.apply.clock import Clock
from reconciler.apply.errors import LeaseHeld, LeaseLost, NoLease
from reconciler.apply.lease_record import Claim, Kind, LeaseRecord, job_id, metadata, records
from reconciler.apply.stop import StopSignal
from reconciler.serve.errors import JobsUnusable, ServeError, Unauthorized
from reconciler.serve.job import JobStatus
from reconciler.serve.protocols import ClusterJobs

Answer = TypeVar("Answer")

GRACE_S = 5.0
"""A lease whose job is being stopped goes on for a moment. Nobody is told of having to wait, or turned away, before
that."""
_POLL_S = 1.0
_ATTEMPTS = 4
_RETRY_S = 2.0
_KEPT = 10
"""How many of the newest records stay in the cluster's list of jobs, for people to look at."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last, in seconds."""

    ttl_s: float = 180.0
    """How long one job holds the lease: the longest that a run that died keeps others waiting."""
    renew_s: float = 60.0
    """The age at which it is renewed."""
    margin_s: float = 60.0
    """What must be left of it when a PUT is sent. The first PUT on a cluster starts Serve and may take this long."""


@dataclass(frozen=True, slots=True)
class _Held:
    number: int
    sent_at: float
    """On the clock, before the submission was sent."""


def utc_now() -> datetime:
    """What the machine's wall clock says, for people to read."""
    return datetime.now(UTC)


class Lease:
    """One run's hold on one cluster. Safe to use from two threads: one writes, the other renews."""

    def __init__(
        self,
        jobs: ClusterJobs,
        claim: Claim,
        clock: Clock,
        terms: Terms = Terms(),
        *,
        wall: Callable[[], datetime] = utc_now,
    ) -> None:
        self._jobs = jobs
        self._claim = claim
        self._clock = clock
        self.terms = terms
        self._wall = wall
        self._since = wall()
        self._nonce = secrets.token_hex(8)
        self._lock = Lock()
        self._sent: dict[int, float] = {}
        """When each number was first asked for, on the clock. An answer may be lost and the number be ours."""
        self._held: _Held | None = None
        self._lost: LeaseLost | None = None

    @property
    def number(self) -> int | None:
        """The fencing number; None while the lease is not held."""
        return self._held.number if self._held else None

    def acquire(self, wait_s: float, waiting: Callable[[LeaseRecord, float], None], stop: StopSignal) -> float | None:
        """Take the lease, waiting up to `wait_s` seconds for another holder; the seconds it took, or None when a stop
        was requested meanwhile. `waiting` is told, once per poll, who holds it and for how long that was waited for.

        Raises `LeaseHeld`, `NoLease`, or `ServeError` when the cluster cannot be asked.
        """
        begun = self._clock.now()
        while not stop.requested:
            try:
                holder = self._persistently(self.take)
            except JobsUnusable as error:
                raise NoLease(error.message) from error
            waited = self._clock.now() - begun
            if holder is None:
                return waited
            if waited >= max(wait_s, GRACE_S):
                raise LeaseHeld(
                    f"{holder.holder} writes to the cluster now ({holder.times})",
                    "wait longer with `--lease-wait SECONDS`; `reconcile unlock --force` ends a lease that nobody uses",
                )
            if waited >= GRACE_S:
                waiting(holder, waited)
            self._clock.sleep(_POLL_S)
        return None

    def take(self) -> LeaseRecord | None:
        """Take the lease if it is free: None, or who holds it. Raises `ServeError` when that cannot be told."""
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._since = self._wall()
            newest = self._newest()
            if newest is None or not newest.is_held:
                number = newest.number + 1 if newest else 1
                trouble = self._submit(number)
                newest = self._newest()
                if newest is None or newest.number < number:
                    raise trouble or ServeError("the Ray dashboard took a job and does not list it")
            if newest.nonce == self._nonce:
                self._hold(newest.number)
                return None
            self._give_up(newest.number)
            return newest

    def check(self) -> None:
        """Return if this run may write now, having renewed the lease if need be. Raises `LeaseLost`."""
        with self._lock:
            try:
                newest = self._persistently(self._own)
                if newest.status.has_ended or self._age >= self.terms.renew_s:
                    newest = self._renewed()
            except ServeError as error:
                raise self._lose(f"whether it still holds the lease cannot be told: {error.message}") from error
            if newest.status.has_ended or self._age > self.terms.ttl_s - self.terms.margin_s:
                raise self._lose("its lease ran out and could not be renewed")

    def renew(self) -> None:
        """Renew the lease. Raises `LeaseLost`, or `ServeError` when the cluster cannot be asked."""
        with self._lock:
            self._own()
            self._renewed()

    def release(self) -> bool:
        """Give it back; whether that is certain. Nothing may be written afterwards."""
        with self._lock:
            self._lost = self._lost or LeaseLost("it gave its lease back")
            self._held = None
            try:
                found = self._records()
                if found and found[0].nonce == self._nonce and found[0].is_held:
                    with suppress(ServeError):
                        self._ask(found[0].number + 1, "release", "true")
                for record in found:
                    if record.nonce == self._nonce and not record.status.has_ended:
                        self._jobs.stop_job(record.job_id)
            except ServeError:
                return False
            self._tidy(found)
            return True

    # What is below needs the lock.

    @property
    def _age(self) -> float:
        """Seconds since the newest job was sent: it goes on until `ttl_s`, or a little longer."""
        return self._clock.now() - self._held.sent_at if self._held else float("inf")

    def _own(self) -> LeaseRecord:
        """The newest record, which has to be this run's. Raises `LeaseLost` or `ServeError`."""
        if self._lost is not None:
            raise self._lost
        newest = self._newest()
        if self._held is None:
            raise self._lose("it holds no lease")
        if newest is None or newest.number < self._held.number:
            raise self._lose("the cluster does not know its lease any more; was it restarted?")
        if newest.nonce != self._nonce:
            if newest.is_unlock:
                raise self._lose(f"{newest.holder} ended its lease by force")
            raise self._lose(f"its lease ran out and {newest.holder} took the next one")
        if newest.status is JobStatus.STOPPED:
            raise self._lose(f"somebody stopped the job `{newest.job_id}`, which was its lease")
        self._hold(newest.number)
        return newest

    def _renewed(self) -> LeaseRecord:
        """Ask for the next number; the newest record, which is the one before where that was not to be had."""
        before = self.number or 0
        self._submit(before + 1)
        newest = self._own()
        if newest.number > before:
            self._stop_quietly(before)
            self._tidy(self._records())
        return newest

    def _submit(self, number: int) -> ServeError | None:
        """Ask for a number; what went wrong, after which it may be ours all the same. Raises `JobsUnusable`."""
        self._sent.setdefault(number, self._clock.now())
        try:
            self._ask(number, "lease", f"sleep {self.terms.ttl_s:g}")
        except JobsUnusable:
            raise
        except ServeError as error:
            return error
        return None

    def _ask(self, number: int, kind: Kind, entrypoint: str) -> None:
        written = metadata(self._claim, self._nonce, kind, self._since, self._wall(), self.terms.ttl_s)
        self._jobs.submit_job(job_id(number), entrypoint, written)

    def _hold(self, number: int) -> None:
        self._held = _Held(number, self._sent[number])

    def _lose(self, reason: str) -> LeaseLost:
        self._lost = LeaseLost(reason)
        self._held = None
        return self._lost

    def _records(self) -> tuple[LeaseRecord, ...]:
        return records(self._jobs.jobs())

    def _newest(self) -> LeaseRecord | None:
        return next(iter(self._records()), None)

    def _give_up(self, newest: int) -> None:
        """Somebody else has that number, so that lower ones mean nothing. One of them may be ours all the same: it had
        been forgotten by the time we asked for it."""
        if any(number < newest for number in self._sent):
            late = (record for record in self._records() if record.nonce == self._nonce and record.number < newest)
            self._stop_quietly(*(record.number for record in late if not record.status.has_ended))
        self._sent = {number: sent_at for number, sent_at in self._sent.items() if number > newest}

    def _stop_quietly(self, *numbers: int) -> None:
        """Stop jobs of ours that mean nothing any more. They end by themselves, if later."""
        for number in numbers:
            with suppress(ServeError):
                self._jobs.stop_job(job_id(number))

    def _tidy(self, found: tuple[LeaseRecord, ...]) -> None:
        """Forget old records, never the newest one: its number must not be taken again. Nor what has just ended: Ray
        would list it once more, as failed."""
        for record in found[2:]:
            own = record.nonce == self._nonce
            if record.status.has_ended and (own or record.number <= found[0].number - _KEPT):
                with suppress(ServeError):
                    self._jobs.delete_job(record.job_id)

    def _persistently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again for a while when the dashboard is away, as it may be while it restarts."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return ask()
            except (JobsUnusable, Unauthorized):
                raise
            except ServeError:
                self._clock.sleep(_RETRY_S)
        return ask()
