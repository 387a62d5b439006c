"""How far an apply is: what is finished, what failed, and where everything else stands."""

from collections import Counter

from reconciler.apply.events import Event, Finished, Phase, Progress, RollbackStarted
from reconciler.views.printable import plural

_URGENT = (Phase.ROLLING_BACK, Phase.ASKING, Phase.WAITING)
"""What people look for first."""


class Tally:
    """Counts the events of one apply with so many actions."""

    def __init__(self, actions: int) -> None:
        self._actions = actions
        self._finished = 0
        self.failed: list[str] = []
        """What failed, or is on its way back, in that order."""
        self._in_flight: dict[str, Progress] = {}

    def count(self, event: Event) -> bool:
        """Take one event; whether it brings anything new."""
        if isinstance(event, Progress):
            before = self._in_flight.get(event.application)
            self._in_flight[event.application] = event
            return before is None or _state(before) != _state(event)
        if isinstance(event, RollbackStarted):
            self.failed.append(event.application)
        if isinstance(event, Finished):
            name = event.outcome.application
            self._finished += 1
            self._in_flight.pop(name, None)
            if event.outcome.result.is_failure and name not in self.failed:
                self.failed.append(name)
        return True

    def in_order(self) -> list[Progress]:
        """What is in flight: what goes back first, then what is nearly done, the longest wait first."""
        return sorted(self._in_flight.values(), key=lambda event: (_URGENT.index(event.phase), -event.seconds))

    def slowest(self, count: int) -> list[Progress]:
        """What has been in flight for longest."""
        return sorted(self._in_flight.values(), key=lambda event: -event.seconds)[:count]

    def __str__(self) -> str:
        phases = Counter(event.phase for event in self._in_flight.values())
        parts = [f"{self._finished} of {plural(self._actions, 'action')} finished"]
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        parts += [f"{phases[phase]} {phase.value}" for phase in Phase if phases[phase]]
        return ", ".join(parts)


def _state(event: Progress) -> tuple[str, int, int]:
    return event.phase.value, event.running, event.target
