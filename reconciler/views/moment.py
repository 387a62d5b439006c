"""A moment for people: in UTC, to the second."""

from datetime import UTC, datetime


def moment(time: str | None) -> str:
    """`2026-01-02 03:04:05 UTC` for a time in ISO 8601; as it is without a time zone."""
    if time is None:
        return "at an unknown time"
    found = datetime.fromisoformat(time)
    if found.tzinfo is None:
        return f"{found:%Y-%m-%d %H:%M:%S}"
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
