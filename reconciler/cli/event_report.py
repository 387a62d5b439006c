"""What `apply --events` tells programs about one run, from its plan to its outcomes; nothing without the option."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.apply.events import Event
from reconciler.apply.outcome import Outcome
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.event_stream import STDOUT, EventFile, EventStream, Write
from reconciler.plan.plan import Plan
from reconciler.registry.mask import mask
from reconciler.state.json_value import JsonValue
from reconciler.views.event_json import ended_json, planned_again_json, started_json


class EventReport:
    """The lines of one run, in their order."""

    def __init__(self, stream: EventStream | None) -> None:
        self._stream = stream
        self._plan: Plan | None = None

    def started(self, plan: Plan, waited_for: Sequence[str]) -> None:
        """The plan is approved and about to be carried out; or it was made anew since the last time."""
        if plan is self._plan:
            return
        form = started_json if self._plan is None else planned_again_json
        self._plan = plan
        self._line(lambda: form(plan, waited_for))

    def emit(self, event: Event) -> None:
        """Something happened."""
        if self._stream is not None:
            self._stream.emit(event)

    def ended(self, result: str, outcomes: Sequence[Outcome], error: str | None = None) -> None:
        """Nothing more will happen. Only the first end counts."""
        if self._plan is not None:
            self._line(lambda: ended_json(result, outcomes, self._stream.seconds if self._stream else 0.0, error))
        self._stream = None

    def _line(self, body: Callable[[], dict[str, JsonValue]]) -> None:
        if self._stream is not None:
            self._stream.line(body())


NO_REPORT = EventReport(None)
"""Tells nobody anything."""


@contextmanager
def event_report(target: Path | None, environment: Environment) -> Iterator[EventReport]:
    """A report to a file, a pipe, or with `-` to stdout. An error that ends the run without an end of its own is in the
    last line. Raises Failure when nothing can be written there."""
    if target is None:
        yield EventReport(None)
        return
    file = None if target == STDOUT else EventFile(target)
    write = _to_stdout(environment.console) if file is None else file.write
    report = EventReport(EventStream(write, environment.console, environment.clock().now))
    try:
        yield report
    except BaseException as error:
        report.ended("stopped", (), mask(str(error)) or type(error).__name__)
        raise
    finally:
        if file is not None:
            file.close()


def _to_stdout(console: Console) -> Write:
    def write(content: bytes) -> None:
        try:
            console.out(content.decode("ascii"))
        except BrokenPipeError:
            console.reader_left()
            raise

    return write
