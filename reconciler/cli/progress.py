"""What apply says while it works: on a terminal a display that is drawn again, elsewhere a line per change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.apply.events import Event, Finished, Progress
from reconciler.cli.console import Console
from reconciler.views.event_text import event_text, progress_text
from reconciler.views.printable import plural, printable

HEARTBEAT_S = 15.0
"""Without any change a line says so often that there is still life."""

Emit = Callable[[Event], None]


@contextmanager
def progress(console: Console, actions: int, now: Callable[[], float]) -> Iterator[Emit]:
    """Takes the events of one apply with so many actions; `now` is in seconds, on any monotonic clock."""
    if console.can_redraw:
        from reconciler.cli.live_progress import LiveProgress

        with LiveProgress(actions) as display:
            yield display.emit
    else:
        yield LineProgress(console, actions, now).emit


class LineProgress:
    """A line on stderr for every change of state, and a heartbeat."""

    def __init__(self, console: Console, actions: int, now: Callable[[], float]) -> None:
        self._console = console
        self._actions = actions
        self._now = now
        self._said_at = now()
        self._finished = 0
        self._in_flight: dict[str, Progress] = {}

    def emit(self, event: Event) -> None:
        """Say one event, unless it brings nothing new."""
        if isinstance(event, Progress):
            before = self._in_flight.get(event.application)
            self._in_flight[event.application] = event
            if before is None or _state(before) != _state(event):
                self._say(event_text(event, self._console.note_style))
            elif self._now() - self._said_at >= HEARTBEAT_S:
                self._say(self._heartbeat())
            return
        if isinstance(event, Finished):
            self._finished += 1
            self._in_flight.pop(event.outcome.application, None)
        self._say(event_text(event, self._console.note_style))

    def _heartbeat(self) -> str:
        waiting = "; ".join(
            f"{printable(name)} {progress_text(event)}" for name, event in list(self._in_flight.items())[:5]
        )
        more = f"; and {len(self._in_flight) - 5} more" if len(self._in_flight) > 5 else ""
        return f"  {self._finished} of {plural(self._actions, 'action')} finished; {waiting}{more}"

    def _say(self, line: str) -> None:
        self._console.note(line)
        self._said_at = self._now()


def _state(event: Progress) -> tuple[str, int, int]:
    return event.phase.value, event.running, event.target
