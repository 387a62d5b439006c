"""The page of `reconcile status --watch` on a terminal, drawn again at every look."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

from reconciler.cli.failure import Failure
from reconciler.cli.look import Look
from reconciler.status.report import ApplicationReport
from reconciler.views.moment import moment
from reconciler.views.printable import plural, printable
from reconciler.views.status_text import applications, gpus, heading, is_broken, notes
from reconciler.views.style import Style

_NUMBERS = 66
"""Columns that the table takes beside the names."""
_LEAST_NAME = 16


class StatusPage:
    """As much of a look as the terminal has room for: the replicas go first, then what is well and idle."""

    def __init__(self, interval_s: float, console: RichConsole | None = None) -> None:
        self._console = console or RichConsole(highlight=False)
        self._style = Style(self._console.color_system is not None)
        self._every = f"every {interval_s:g} s, Ctrl-C ends it"
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._last: Look | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._live.stop()

    def show(self, look: Look) -> None:
        """Draw a look."""
        self._last = look
        self._draw(look, [])

    def fail(self, failure: Failure) -> None:
        """Draw the last look, and why there is no later one."""
        assert self._last is not None
        self._draw(self._last, [self._style.red(f"no newer look: {printable(failure.message)}")])

    def _draw(self, look: Look, above: Sequence[str]) -> None:
        report = look.report
        head = [*above, self._style.dim(f"{moment(report.time)}, {self._every}")]
        if look.is_whole:
            head += [heading(report, self._style), ""]
            foot = [
                *notes(report, self._style),
                *([self._style.yellow(look.around.lease)] if look.around.lease else []),
            ]
            foot += [*gpus(report), plural(len(report.nodes), "node")]
            room = self._console.height - len(head) - len(foot) - 2
            width = max(self._console.width - _NUMBERS, _LEAST_NAME)
            lines = [*head, *_fitting(report.applications, room, width, self._style), "", *foot]
        else:
            lines = [*head, "", *look.text(self._style).splitlines()]
        page = Text("\n", no_wrap=True, overflow="ellipsis").join(Text.from_ansi(line) for line in lines)
        page.no_wrap, page.overflow = True, "ellipsis"
        self._live.update(page, refresh=True)


def _fitting(entries: Sequence[ApplicationReport], room: int, width: int, style: Style) -> list[str]:
    """The table in at most so many lines, with names of so many columns."""
    whole = applications(entries, style, name_width=width)
    if len(whole) <= room:
        return whole
    short = applications(entries, style, with_replicas=False, name_width=width)
    if len(short) <= room:
        return short
    kept = sorted(entries, key=_gravity)[: max(room - 2, 1)]
    left_out = len(entries) - len(kept)
    more = style.dim(f"… and {plural(left_out, 'more application')} with less to tell")
    rows = applications(kept, style, with_replicas=False, with_messages=False, name_width=width)
    return [*rows, more] if left_out else rows


def _gravity(entry: ApplicationReport) -> tuple[object, ...]:
    """What is broken first, then what is not as it should be, then the busiest."""
    is_short = entry.running < entry.target or entry.status is None
    busy = entry.load.ongoing if entry.load is not None else 0
    return (not is_broken(entry), not is_short, not entry.ours, -busy, entry.name)
