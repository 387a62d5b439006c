"""The progress of apply on a terminal: finished things scroll up, what is in flight is drawn again below them."""

from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from reconciler.apply.events import Event, Finished, Progress
from reconciler.views.event_text import event_text
from reconciler.views.printable import cut, plural, printable
from reconciler.views.style import Style

_ROWS_LEFT_FREE = 6
"""Lines of the terminal that the display does not take, so that what scrolled up stays in sight."""


class LiveProgress:
    """One line per model in flight, as many as fit, and the counts of all."""

    def __init__(self, actions: int, console: RichConsole | None = None) -> None:
        self._console = console or RichConsole(stderr=True, highlight=False)
        self._style = Style(self._console.color_system is not None)
        self._actions = actions
        self._finished = 0
        self._failed = 0
        self._in_flight: dict[str, Progress] = {}
        self._spinner = Spinner("dots")
        self._live = Live(self._display(), console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._live.stop()

    def emit(self, event: Event) -> None:
        """Take one event and draw."""
        if isinstance(event, Progress):
            self._in_flight[event.application] = event
        else:
            if isinstance(event, Finished):
                self._finished += 1
                self._failed += event.outcome.result.is_failure
                self._in_flight.pop(event.outcome.application, None)
            self._console.print(Text.from_ansi(event_text(event, self._style)))
        self._live.update(self._display())

    def _display(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for column in ("name", "phase", "replicas", "time", "message"):
            table.add_column(column, no_wrap=True, justify="right" if column == "time" else "left")
        room = max(self._console.height - _ROWS_LEFT_FREE, 3)
        shown = list(self._in_flight.values())[:room]
        for event in shown:
            table.add_row(
                cut(printable(event.application), 48),
                event.phase.value,
                f"{event.running}/{event.target}",
                f"{event.seconds:.0f} s",
                cut(printable(event.message), 60),
            )
        failed = f", {self._failed} failed" if self._failed else ""
        hidden = len(self._in_flight) - len(shown)
        more = f", {hidden} more in flight" if hidden else ""
        self._spinner.update(text=f"{self._finished} of {plural(self._actions, 'action')} finished{failed}{more}")
        return Group(table, self._spinner)
