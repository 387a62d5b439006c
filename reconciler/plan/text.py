"""Small pieces of sentences that the plan and the drift report share."""

from collections.abc import Sequence

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0


def first_line(message: str) -> str:
    """The first line of a message that says anything."""
    return next((line.strip() for line in message.splitlines() if line.strip()), "")


def duration(seconds: float) -> str:
    """Seconds as people say them, without needless digits: `95 s`, `12 min`, `2.5 h`, `3 days`."""
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h".replace(".0 h", " h")
    return f"{seconds / DAY_S:.0f} days"


def plural(count: int, noun: str) -> str:
    """`1 replica`, `2 replicas`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def quoted(names: Sequence[str], most: int = 12) -> str:
    """The names in code quotes after commas; a long list says how many are left out."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
