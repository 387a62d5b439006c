"""When a request may be sent again: only where the service has certainly not begun with it."""

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST_S = 0.25
_MOST_S = 30.0
"""A service that wants a longer pause has an answer that the client should see."""

_COME_BACK = frozenset({429, 503})


def pause_before_connecting(attempt: int) -> float:
    """Seconds until the next try where there was no connection; `attempt` counts from 0. Half of it is chance, so that
    replicas do not come back all at once.
    """
    longest = min(_FIRST_S * 2**attempt, _MOST_S)
    return longest / 2 + random.random() * longest / 2


def pause_asked_for(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds after which the service wants to be asked again; None where it does not want that, or not soon."""
    if status not in _COME_BACK:
        return None
    pause = retry_after(headers)
    return pause if pause is not None and pause <= _MOST_S else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` header, which holds them or a date."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
