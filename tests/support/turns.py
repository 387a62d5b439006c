"""Threads that take turns, in an order that a seed decides: what they do in between is run one at a time, so that a
race that went wrong can be run again."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Condition

_PATIENCE_S = 300.0


class Turns:
    """Who may go next: chosen among all, once each of them has come to its next turn or to its end."""

    def __init__(self, names: Iterable[str], seed: int) -> None:
        self._running = set(names)
        self._waiting: set[str] = set()
        self._turn: str | None = None
        self._random = Random(seed)
        self._changed = Condition()

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """One step of that thread."""
        with self._changed:
            self._waiting.add(name)
            self._choose()
            assert self._changed.wait_for(lambda: self._turn == name, _PATIENCE_S), f"{name} never got its turn"
            self._waiting.remove(name)
        try:
            yield
        finally:
            with self._changed:
                self._turn = None

    def leave(self, name: str) -> None:
        """That thread has come to its end."""
        with self._changed:
            self._running.remove(name)
            self._choose()

    def _choose(self) -> None:
        if self._turn is None and self._running and self._waiting == self._running:
            self._turn = self._random.choice(sorted(self._waiting))
            self._changed.notify_all()


def run_in_turns(turns: Turns, tasks: dict[str, Callable[[], None]]) -> None:
    """Run one task for each name, side by side. Raises what the first of them raised."""

    def run(name: str) -> None:
        try:
            tasks[name]()
        finally:
            turns.leave(name)

    with ThreadPoolExecutor(len(tasks)) as threads:
        for future in [threads.submit(run, name) for name in tasks]:
            future.result()
