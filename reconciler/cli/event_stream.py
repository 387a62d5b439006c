"""The event stream of one apply: a JSON object a line, written at once, and never in the way of the apply.

A line that cannot be written, because a disk is full or a reader has gone, is said once on stderr and left out; the
sequence number of the next one that can be written shows the gap.
"""

import json
import os
import stat
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reconciler.apply.events import Event, Progress
from reconciler.cli.console import Console
from reconciler.cli.failure import Failure
from reconciler.state.json_value import JsonValue
from reconciler.views.event_json import FORMAT_VERSION, event_json

STDOUT = Path("-")
REPEAT_S = 30.0
"""Where an application stands is said when it changes, and so often if it does not."""

Write = Callable[[bytes], None]
"""Takes bytes. Raises OSError when they were not, or only in part, written."""


class EventStream:
    """Numbers the lines of one run. `now` is in seconds on any monotonic clock."""

    def __init__(self, write: Write, console: Console, now: Callable[[], float]) -> None:
        self._write = write
        self._console = console
        self._now = now
        self._run = uuid.uuid4().hex
        self._sequence = 0
        self._begun = now()
        self._is_torn = False
        self._trouble = False
        self._said: dict[str, tuple[Progress, float]] = {}

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._now() - self._begun

    def emit(self, event: Event) -> None:
        """Write an event, unless it repeats what was just said of an application."""
        if isinstance(event, Progress):
            before, at = self._said.get(event.application, (None, 0.0))
            if before is not None and _standing(before) == _standing(event) and self._now() - at < REPEAT_S:
                return
            self._said[event.application] = (event, self._now())
        self.line(event_json(event))

    def line(self, body: dict[str, JsonValue]) -> None:
        """Write one line."""
        self._sequence += 1
        envelope = {
            "format_version": FORMAT_VERSION,
            "event": body["event"],
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "run": self._run,
            "sequence": self._sequence,
        }
        # ASCII, so that no text from a log or a model, however odd, makes a line that a reader refuses.
        content = (json.dumps({**envelope, **body}) + "\n").encode("ascii")
        try:
            self._write(b"\n" + content if self._is_torn else content)
        except OSError as error:
            # Part of it may be there: the next line must not continue it.
            self._is_torn = True
            if not self._trouble:
                self._trouble = True
                self._console.note(f"warning: an event could not be written ({error.strerror or error}); apply goes on")
        else:
            self._is_torn = False


def _standing(event: Progress) -> tuple[str, str, int, int]:
    return event.phase.value, event.message, event.running, event.target


class EventFile:
    """A file, pipe or device that lines are added to. A line is one `write`, so that other runs may write there too."""

    def __init__(self, path: Path) -> None:
        """Raises Failure when it cannot be written, or holds something else than events."""
        # Without waiting: neither for somebody to read a pipe, nor later for a reader that is slow.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            if path.exists() and not path.is_file():
                flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            why = "nobody reads this pipe" if path.is_fifo() else error.strerror
            raise Failure(f"no events can be written to `{path}`: {why}") from error
        try:
            self._begin(path)
        except BaseException:
            self.close()
            raise

    def write(self, content: bytes) -> None:
        """Add it. Raises OSError."""
        while content:
            content = content[os.write(self._descriptor, content) :]

    def close(self) -> None:
        """Nothing more is written."""
        with suppress(OSError):
            os.close(self._descriptor)

    def _begin(self, path: Path) -> None:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return
        size = os.fstat(self._descriptor).st_size
        if size and not _is_event(os.pread(self._descriptor, 64 * 1024, 0)):
            raise Failure(
                f"`{path}` is there and holds something else than events",
                "name another file for `--events`, or delete it first",
            )
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # A run before this one was killed in the middle of a line.
            with suppress(OSError):
                self.write(b"\n")


def _is_event(content: bytes) -> bool:
    try:
        line = json.loads(content.split(b"\n", 1)[0])
    except ValueError:
        return False
    return isinstance(line, dict) and {"event", "run", "sequence"} <= line.keys()
