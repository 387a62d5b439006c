"""One submitted job of a Ray cluster, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class JobStatus(StrEnum):
    """`ray.job_submission.JobStatus` 2.60."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def has_ended(self) -> bool:
        """Whether it stays like that."""
        return self not in (JobStatus.PENDING, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One submitted job: its id, how far it is, and what its submitter wrote beside it."""

    job_id: str
    status: JobStatus
    metadata: Mapping[str, str]
