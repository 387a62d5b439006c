"""What the cluster's jobs say about the lease, and what is written beside a job to take it. Pure.

The lease is the job `reconciler-lease-<n>` with the highest number: while it is pending or runs, its submitter may
write to the cluster, and nobody else. Lower numbers mean nothing any more. A job that ends the lease takes a number as
well, because a job that is told to stop needs seconds for it, and one that is pending may never do so. What somebody
else submitted under such a name counts too: nothing tells it from a lease of a later version.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from reconciler.serve.job import Job, JobStatus

Kind = Literal["lease", "release", "unlock"]
"""Takes the lease, gives it back, or ends that of another."""

_ID = re.compile(r"reconciler-lease-([1-9][0-9]{0,17})")
_LONGEST = 200
_FREE: tuple[Kind, ...] = ("release", "unlock")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants to write, shown to whoever has to wait. Never holds a secret."""

    who: str
    where: str
    """The machine, or the address of the CI job."""
    owner: str
    """Of the registry."""
    commit: str | None
    version: str


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """One job that takes, or took, the lease. Texts are what its submitter wrote, safe to print, or empty."""

    number: int
    status: JobStatus
    nonce: str
    kind: str
    claim: Claim
    since: str
    """When its holder took the lease, in ISO 8601."""
    until: str
    """When it ends unless it is renewed."""

    @property
    def job_id(self) -> str:
        """The job's id."""
        return job_id(self.number)

    @property
    def is_held(self) -> bool:
        """Whether this one, being the newest, keeps others from writing."""
        return not self.status.has_ended and self.kind not in _FREE

    @property
    def is_unlock(self) -> bool:
        """Whether a person ended the lease with it."""
        return self.kind == "unlock"

    @property
    def holder(self) -> str:
        """Who, and from where, in words."""
        claim = self.claim
        if not claim.who:
            return f"somebody who does not say who (job `{self.job_id}`)"
        return claim.who if not claim.where or claim.where in claim.who else f"{claim.who} from {claim.where}"

    @property
    def times(self) -> str:
        """Since when and until when, in words."""
        return times(self.since, self.until)


def times(since: str, until: str) -> str:
    """Since when and until when, in words."""
    return f"since {since}, until {until} unless renewed" if since else "for as long as its job runs"


def job_id(number: int) -> str:
    """The id of the job with that number."""
    return f"reconciler-lease-{number}"


def records(jobs: Iterable[Job]) -> tuple[LeaseRecord, ...]:
    """Those of the jobs that are about the lease, the newest first."""
    found = (_record(int(match[1]), job) for job in jobs if (match := _ID.fullmatch(job.job_id)) is not None)
    return tuple(sorted(found, key=lambda record: record.number, reverse=True))


def metadata(claim: Claim, nonce: str, kind: Kind, since: datetime, now: datetime, ttl_s: float) -> dict[str, str]:
    """What is written beside a job that is submitted now: only texts, as Ray demands."""
    return {
        "reconciler": claim.version,
        "kind": kind,
        "nonce": nonce,
        "who": claim.who,
        "where": claim.where,
        "owner": claim.owner,
        "commit": claim.commit or "",
        "since": _time(since),
        "until": _time(now + timedelta(seconds=ttl_s)),
    }


def _record(number: int, job: Job) -> LeaseRecord:
    texts = job.metadata
    claim = Claim(
        who=_text(texts, "who"),
        where=_text(texts, "where"),
        owner=_text(texts, "owner"),
        commit=_text(texts, "commit") or None,
        version=_text(texts, "reconciler"),
    )
    return LeaseRecord(
        number=number,
        status=job.status,
        nonce=_text(texts, "nonce"),
        kind=_text(texts, "kind"),
        claim=claim,
        since=_text(texts, "since"),
        until=_text(texts, "until"),
    )


def _text(texts: Mapping[str, str], key: str) -> str:
    """A text that anybody may have written, short and without anything a terminal would obey."""
    return "".join(letter for letter in texts.get(key, "") if letter.isprintable())[:_LONGEST]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
