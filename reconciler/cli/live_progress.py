"""The progress of apply on a terminal: finished things scroll up, what is in flight is drawn again below them."""

from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from reconciler.apply.events import Event, Phase, Progress, SmokeAnswered
from reconciler.cli.tally import Tally
from reconciler.views.event_text import event_text
from reconciler.views.printable import cut, printable
from reconciler.views.style import Style

_ROWS_LEFT_FREE = 8
"""Lines of the terminal that the display does not take, so that what scrolled up stays in sight."""
_MOST_ROWS = 16
"""More lines than this are no longer looked at."""
_NUMBERS = 32
"""Columns of a line that its phase, replicas and time take, with the gaps."""
_LEAST_MESSAGE = 18
"""Columns below which what is waited for says nothing."""
_STYLES = {Phase.ROLLING_BACK: "red", Phase.ASKING: "green", Phase.WAITING: "none"}


class LiveProgress:
    """A line for each model in flight, as many as fit, what failed, and the counts of all."""

    def __init__(self, actions: int, console: RichConsole | None = None) -> None:
        self._console = console or RichConsole(stderr=True, highlight=False)
        self._style = Style(self._console.color_system is not None)
        self._tally = Tally(actions)
        self._spinner = Spinner("dots")
        self._live = Live(self._display(), console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._live.stop()

    def emit(self, event: Event) -> None:
        """Take one event and draw."""
        self._tally.count(event)
        # That it answered is said once more when it is finished.
        if not isinstance(event, Progress | SmokeAnswered):
            self._console.print(Text.from_ansi(event_text(event, self._style)))
        self._live.update(self._display())

    def _display(self) -> Group:
        room = min(max(self._console.height - _ROWS_LEFT_FREE, 3), _MOST_ROWS)
        events = self._tally.in_order()
        hidden = len(events) - room
        shown = events[:room] if hidden <= 0 else events[: room - 1]
        lines = [self._table(shown)]
        if hidden > 0:
            lines.append(Text(f"… and {len(events) - len(shown)} more in flight", style="dim"))
        if self._tally.failed:
            names = ", ".join(printable(name) for name in self._tally.failed)
            lines.append(Text(cut(f"failed: {names}", self._console.width), style="red"))
        self._spinner.update(text=str(self._tally))
        return Group(*lines, self._spinner)

    def _table(self, events: list[Progress]) -> Table | Text:
        table = Table.grid(padding=(0, 2))
        for column in ("name", "phase", "replicas", "time", "message"):
            table.add_column(column, no_wrap=True, justify="right" if column == "time" else "left")
        longest = max((len(printable(event.application)) for event in events), default=0)
        name_width = min(longest, max(self._console.width - _NUMBERS - _LEAST_MESSAGE, 16))
        message_width = self._console.width - name_width - _NUMBERS
        for event in events:
            table.add_row(
                cut(printable(event.application), name_width),
                event.phase.value,
                f"{event.running}/{event.target}",
                f"{event.seconds:.0f} s",
                cut(printable(event.message), message_width) if message_width >= _LEAST_MESSAGE else "",
                style=_STYLES[event.phase],
            )
        return table
