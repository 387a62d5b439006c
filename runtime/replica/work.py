"""How much one replica has to do: what `reconcile status` says about it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Work:
    """Counts the requests of one replica since it was made."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any moment on."""
        self._clock = clock
        self._began = clock()
        self._requests = 0
        self._ongoing = 0
        self._latest: float | None = None

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request, for as long as it is answered."""
        self._requests += 1
        self._ongoing += 1
        self._latest = self._clock()
        try:
            yield
        finally:
            self._ongoing -= 1

    def report(self) -> dict[str, Any]:
        """`requests` since it started, how many are `ongoing`, `last_s`, the seconds since the latest one began (None
        before the first), and `watched_s`, the seconds it has counted. Times are differences, so that nobody's clock
        has to be right."""
        now = self._clock()
        return {
            "requests": self._requests,
            "ongoing": self._ongoing,
            "last_s": None if self._latest is None else round(now - self._latest, 3),
            "watched_s": round(now - self._began, 3),
        }
