import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.apply.events import Event, Phase, Progress, RollbackStarted
from reconciler.apply.schema import event_schema
from reconciler.cli.console import Console
from reconciler.cli.event_stream import REPEAT_S, EventFile, EventStream
from reconciler.cli.failure import Failure

ROLLBACK = RollbackStarted("a", "no GPU")


def at(seconds: float, running: int = 0, name: str = "a") -> Progress:
    return Progress(name, Phase.WAITING, "loading", running, 1, seconds)


class Recorded:
    """A stream whose bytes and notes a test looks at."""

    def __init__(self) -> None:
        self.content = b""
        self.now = 100.0
        self.err = io.StringIO()
        self.fails: int | None = None
        """How many bytes are taken before there is no room; None for all."""
        console = Console({}, io.StringIO(), io.StringIO(), self.err)
        self.stream = EventStream(self.write, console, lambda: self.now)

    def write(self, content: bytes) -> None:
        self.content += content[: self.fails]
        if self.fails is not None:
            raise OSError(28, "No space left on device")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.content.splitlines() if line.endswith(b"}")]


def test_each_line_says_when_in_which_run_and_in_which_place() -> None:
    recorded = Recorded()
    recorded.stream.emit(ROLLBACK)
    recorded.stream.line({"event": "ended", "result": "done", "seconds": 1, "error": None, "outcomes": []})
    first, second = recorded.lines
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert first["run"] == second["run"] != Recorded().stream._run
    assert first["time"].endswith("+00:00")
    for line in (first, second):
        jsonschema.Draft202012Validator(event_schema()).validate(line)


def test_a_line_is_one_line_whatever_a_model_says() -> None:
    recorded = Recorded()
    recorded.stream.emit(RollbackStarted("a", "oh\n\u2028\ud800é"))
    assert recorded.content.count(b"\n") == 1
    assert recorded.lines[0]["cause"] == "oh\n\u2028\ud800é"


def test_where_an_application_stands_is_said_when_it_changes_and_now_and_then() -> None:
    recorded = Recorded()
    for second in range(10):
        recorded.stream.emit(at(second))
        recorded.stream.emit(at(second, name="b"))
    assert [line["application"] for line in recorded.lines] == ["a", "b"]
    recorded.stream.emit(at(10, running=1))
    assert len(recorded.lines) == 3
    recorded.now += REPEAT_S
    recorded.stream.emit(at(40, running=1))
    assert len(recorded.lines) == 4


def test_a_full_disk_is_said_once_and_leaves_a_gap_and_no_torn_line() -> None:
    recorded = Recorded()
    recorded.stream.emit(ROLLBACK)
    recorded.fails = 20
    recorded.stream.emit(ROLLBACK)
    recorded.stream.emit(ROLLBACK)
    recorded.fails = None
    recorded.stream.emit(ROLLBACK)
    recorded.stream.emit(ROLLBACK)
    assert [line["sequence"] for line in recorded.lines] == [1, 4, 5]
    assert recorded.err.getvalue() == (
        "warning: an event could not be written (No space left on device); apply goes on\n"
    )


def written(path: Path, *events: Event) -> None:
    file = EventFile(path)
    stream = EventStream(file.write, Console({}, io.StringIO(), io.StringIO(), io.StringIO()), lambda: 0.0)
    for event in events:
        stream.emit(event)
    file.close()


def test_runs_add_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written(path, ROLLBACK)
    written(path, ROLLBACK, ROLLBACK)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["sequence"] for line in lines] == [1, 1, 2]
    assert len({line["run"] for line in lines}) == 2


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    file = EventFile(path)
    EventStream(file.write, Console({}, io.StringIO(), io.StringIO(), io.StringIO()), lambda: 0.0).emit(ROLLBACK)
    assert json.loads(path.read_text())["event"] == "rollback-started"
    file.close()


def test_a_line_that_a_killed_run_left_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written(path, ROLLBACK)
    path.write_text(path.read_text() + '{"event": "fini')
    written(path, ROLLBACK)
    assert [line.endswith("}") for line in path.read_text().splitlines()] == [True, False, True]


@pytest.mark.parametrize("content", ["notes\n", "[]\n", '{"event": 1}\n', "\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(Failure) as error:
        EventFile(path)
    assert "holds something else than events" in error.value.message
    assert path.read_text() == content


def test_what_cannot_be_written_is_said_before_anything_is_done(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "events"):
        with pytest.raises(Failure) as error:
            EventFile(path)
        assert f"no events can be written to `{path}`" in error.value.message


def test_a_full_device_does_not_end_an_apply() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    written(Path("/dev/full"), ROLLBACK, ROLLBACK)


def test_a_pipe_is_read_while_it_is_written_and_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(Failure) as error:
        EventFile(path)
    assert "nobody reads this pipe" in error.value.message
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    done = threading.Event()

    def write() -> None:
        # Far more than a pipe holds: a reader that does not read must not stop an apply.
        written(path, *[ROLLBACK] * 2000)
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(30)
    first = os.read(reader, 64 * 1024).split(b"\n")[0]
    assert json.loads(first)["sequence"] == 1
    os.close(reader)
