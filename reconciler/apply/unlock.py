"""Ending somebody else's lease, which only a person may decide.

Stopping the job would not do: where Ray cannot start jobs it stays pending, and its holder might renew it meanwhile. So
the next number is taken by a job that says it is no lease. Whoever held the lease sees that and writes no more.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from reconciler.apply.lease import utc_now
from reconciler.apply.lease_record import Claim, LeaseRecord, job_id, metadata, records
from reconciler.serve.errors import ServeError
from reconciler.serve.protocols import ClusterJobs

_ATTEMPTS = 5
"""The holder may renew its lease at the same moment, but hardly so often."""


def standing(jobs: ClusterJobs) -> LeaseRecord | None:
    """The newest record of the lease, held or not; None where it was never taken. Raises `ServeError`."""
    return next(iter(records(jobs.jobs())), None)


def end_by_force(jobs: ClusterJobs, claim: Claim, wall: Callable[[], datetime] = utc_now) -> LeaseRecord | None:
    """End the lease, whoever holds it; the record that was held, or None when none was. Raises `ServeError`."""
    nonce = secrets.token_hex(8)
    first = newest = standing(jobs)
    for _ in range(_ATTEMPTS):
        if newest is None or not newest.is_held:
            return first if first is not None and first.is_held else None
        now = wall()
        jobs.submit_job(job_id(newest.number + 1), "true", metadata(claim, nonce, "unlock", now, now, 0.0))
        with suppress(ServeError):
            jobs.stop_job(newest.job_id)
        newest = standing(jobs)
    raise ServeError("its holder takes the lease again and again", "stop that run, then unlock")
