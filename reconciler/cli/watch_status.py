"""`reconcile status --watch`: looking again and again, until somebody has seen enough."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.failure import Failure, explained
from reconciler.status.changes import changes, first_look
from reconciler.views.moment import moment
from reconciler.views.printable import printable

if TYPE_CHECKING:
    from reconciler.cli.look import Look

    Again = Callable[[], Look]


def watch_status(first: "Look", again: "Again", environment: Environment, output: str, interval_s: float) -> NoReturn:
    """Show the first look, then others every `interval_s` seconds. A cluster that cannot be looked at for a while is
    told and asked again. Ends only by `KeyboardInterrupt`."""
    console, clock = environment.console, environment.clock()
    with _ended_politely():
        if output == "json":
            _follow(again, lambda look: _say_json(look, console), console, interval_s, clock.sleep, first)
        elif console.can_redraw_out:
            from reconciler.cli.status_page import StatusPage

            with StatusPage(interval_s) as page:
                page.show(first)
                while True:
                    clock.sleep(interval_s)
                    found = _looked(again)
                    if isinstance(found, Failure):
                        page.fail(found)
                    else:
                        page.show(found)
        else:
            lines = _Lines(console)
            _follow(again, lines.say, console, interval_s, clock.sleep, first)
    raise AssertionError("a watch ends by an exception")


def _follow(
    again: "Again",
    say: Callable[["Look"], None],
    console: Console,
    interval_s: float,
    sleep: Callable[[float], None],
    first: "Look",
) -> NoReturn:
    """Say each look; what keeps one from being made is a line when it begins, and when it is over."""
    say(first)
    trouble = first.trouble
    while True:
        sleep(interval_s)
        found = _looked(again)
        if not isinstance(found, Failure):
            say(found)
        now = found.message if isinstance(found, Failure) else found.trouble
        if now != trouble:
            console.note(now or "the cluster answers again")
        trouble = now


class _Lines:
    """Says what is there at first, and after that what changed, each with its time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Look | None = None

    def say(self, look: "Look") -> None:
        """Take one look."""
        found = first_look(look.report) if self._last is None else changes(self._last.report, look.report)
        self._last = look
        self._console.out("".join(f"{moment(look.report.time)}  {printable(line)}\n" for line in found))


def _say_json(look: "Look", console: Console) -> None:
    console.out(json.dumps(look.document, ensure_ascii=False) + "\n")


def _looked(again: "Again") -> "Look | Failure":
    """One more look, or why there is none."""
    try:
        return again()
    except Exception as error:
        failure = explained(error)
        if failure is None:
            raise
        return failure


@contextmanager
def _ended_politely() -> Iterator[None]:
    """A request to end is like Ctrl-C meanwhile, so that the terminal gets its cursor back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
