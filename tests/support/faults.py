"""What can happen to one request on its way to a dashboard and back, as the fault proxy plays it."""

from enum import StrEnum


class Fault(StrEnum):
    """One kind of trouble. Those of `_AFTER` reach the dashboard, which does as it is told."""

    TIMEOUT = "no answer, and it never arrived"
    TIMEOUT_AFTER = "no answer, though it was taken"
    RESET = "connection reset before it arrived"
    RESET_AFTER = "connection reset after it was taken"
    BUSY = "503 before it arrived"
    BUSY_AFTER = "503 after it was taken"
    BROKEN_AFTER = "500 after it was taken"
    REFUSED_AFTER = "400 after it was stored"
    UNAUTHORIZED = "401"
    EMPTY = "an empty 200, and it never arrived"
    EMPTY_AFTER = "an empty 200 after it was taken"
    TRUNCATED = "half the body, then the connection ends"
    GARBLED = "half the body as if it were the whole"
    EMPTIED = "a list without a single application"
    REDACTED = "every environment value blacked out"
    STALE = "the answer of the time before"
    SLOW = "the right answer, late"

    @property
    def arrives(self) -> bool:
        """Whether the dashboard gets the request."""
        return self not in _LOST_ON_THE_WAY


_LOST_ON_THE_WAY = frozenset({Fault.TIMEOUT, Fault.RESET, Fault.BUSY, Fault.UNAUTHORIZED, Fault.EMPTY, Fault.STALE})

READ_FAULTS = (
    Fault.TIMEOUT_AFTER,
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.BUSY,
    Fault.BROKEN_AFTER,
    Fault.UNAUTHORIZED,
    Fault.EMPTY,
    Fault.TRUNCATED,
    Fault.GARBLED,
    Fault.SLOW,
)
"""What can happen to any GET."""

LIST_FAULTS = (*READ_FAULTS, Fault.EMPTIED, Fault.REDACTED, Fault.STALE)
"""What can happen to the list of applications."""

WRITE_FAULTS = (
    Fault.TIMEOUT,
    Fault.TIMEOUT_AFTER,
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.BUSY,
    Fault.BUSY_AFTER,
    Fault.BROKEN_AFTER,
    Fault.REFUSED_AFTER,
    Fault.UNAUTHORIZED,
    Fault.EMPTY,
    Fault.EMPTY_AFTER,
    Fault.TRUNCATED,
    Fault.SLOW,
)
"""What can happen to a PUT."""
