"""What became of each Action."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """The ways an action can end."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "failed and rolled back"
    FAILED = "failed"
    TIMED_OUT = "timed out and rolled back"
    SKIPPED = "skipped"

    @property
    def is_failure(self) -> bool:
        """Whether it makes apply exit with 1."""
        return self in (Result.ROLLED_BACK, Result.FAILED, Result.TIMED_OUT, Result.SKIPPED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action: the replicas before and after, seconds taken, and the cause of a failure."""

    application: str
    result: Result
    message: str
    replicas_before: tuple[str, ...] = ()
    replicas_after: tuple[str, ...] = ()
    seconds: float = 0.0
    cause: str | None = None
    """The likely reason of a failure, in a sentence with what to do about it."""
    log_excerpt: tuple[str, ...] = ()
    """The log lines that prove the cause."""
    load_seconds: float | None = None
    """Seconds from the PUT until the first replica of the new version served; None where none had to start."""
