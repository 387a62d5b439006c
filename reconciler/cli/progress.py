"""What apply says while it works: on a terminal a display that is drawn again, elsewhere lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.apply.events import Event, Finished, Progress, SmokeAnswered
from reconciler.cli.console import Console
from reconciler.cli.tally import Tally
from reconciler.views.event_text import event_text, progress_text
from reconciler.views.printable import listed, printable

HEARTBEAT_S = 15.0
"""Without any change a line says so often that there is still life; of many applications all changes are in it."""
FEW = 8
"""Up to so many applications, each change of one is a line of its own. Of more, only what fails is."""

Emit = Callable[[Event], None]


@contextmanager
def progress(console: Console, actions: int, now: Callable[[], float]) -> Iterator[Emit]:
    """Takes the events of one apply with so many actions; `now` is in seconds, on any monotonic clock."""
    if console.can_redraw:
        from reconciler.cli.live_progress import LiveProgress

        with LiveProgress(actions) as display:
            yield display.emit
    else:
        lines = LineProgress(console, actions, now)
        yield lines.emit
        lines.close()


class LineProgress:
    """Lines on stderr, for a log: every change of a few applications, a summary now and then of many."""

    def __init__(self, console: Console, actions: int, now: Callable[[], float]) -> None:
        self._console = console
        self._tally = Tally(actions)
        self._is_terse = actions > FEW
        self._now = now
        self._said_at = now()
        self._succeeded: list[str] = []
        """What succeeded and was not said yet."""

    def emit(self, event: Event) -> None:
        """Say one event, unless it brings nothing new or can wait for the summary."""
        changed = self._tally.count(event)
        if isinstance(event, Finished) and self._is_terse and not event.outcome.result.is_failure:
            self._succeeded.append(event.outcome.application)
        elif not isinstance(event, Progress | SmokeAnswered) or (changed and not self._is_terse):
            self._say(event_text(event, self._console.note_style))
            return
        if self._now() - self._said_at >= HEARTBEAT_S:
            self._summarise()

    def close(self) -> None:
        """Say what was not said yet."""
        if self._succeeded:
            self._summarise()

    def _summarise(self) -> None:
        if self._succeeded:
            self._console.note(f"  {self._console.note_style.green('done')}: {listed(self._succeeded)}")
            self._succeeded = []
        waiting = "; ".join(
            f"{printable(event.application)} {progress_text(event)}"
            for event in self._tally.slowest(2 if self._is_terse else 5)
        )
        self._say(f"  {self._tally}" + (f"; {waiting}" if waiting else ""))

    def _say(self, line: str) -> None:
        self._console.note(line)
        self._said_at = self._now()
