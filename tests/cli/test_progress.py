import io

import pytest
from rich.console import Console as RichConsole

from reconciler.apply.events import DocumentSent, Finished, Phase, Progress, WaveStarted
from reconciler.apply.outcome import Outcome, Result
from reconciler.cli.console import Console
from reconciler.cli.live_progress import LiveProgress
from reconciler.cli.progress import HEARTBEAT_S, LineProgress, progress


def waiting(name: str, seconds: float, running: int = 0, message: str = "loading") -> Progress:
    return Progress(name, Phase.WAITING, message, running, 1, seconds)


class Lines:
    """A line display on a stream that is no terminal, and a clock that a test sets."""

    def __init__(self, actions: int) -> None:
        self.err = io.StringIO()
        self.now = 0.0
        console = Console({}, io.StringIO(), io.StringIO(), self.err)
        self.display = LineProgress(console, actions, lambda: self.now)

    @property
    def said(self) -> list[str]:
        lines = self.err.getvalue().splitlines()
        self.err.truncate(0)
        self.err.seek(0)
        return lines


def test_a_line_for_every_change_and_none_without_one() -> None:
    lines = Lines(1)
    lines.display.emit(WaveStarted(1, 1, ("a",)))
    lines.display.emit(DocumentSent(2, "wave 1 of 1"))
    assert len(lines.said) == 2
    lines.display.emit(waiting("a", 1))
    assert lines.said == ["a: waiting, 0 of 1 new replicas, loading, 1 s"]
    for second in range(2, 10):
        lines.display.emit(waiting("a", second))
    assert lines.said == []
    lines.display.emit(waiting("a", 10, running=1))
    assert lines.said == ["a: waiting, 1 of 1 new replicas, loading, 10 s"]
    lines.display.emit(Finished(Outcome("a", Result.APPLIED, "", seconds=11)))
    assert lines.said == ["a: applied after 11 s"]


def test_a_heartbeat_when_nothing_changes_for_long() -> None:
    lines = Lines(8)
    for number in range(7):
        lines.display.emit(waiting(f"m{number}", 1))
    lines.display.emit(Finished(Outcome("m0", Result.APPLIED, "")))
    assert len(lines.said) == 8
    lines.now = HEARTBEAT_S - 1
    lines.display.emit(waiting("m1", 14))
    assert lines.said == []
    lines.now = HEARTBEAT_S
    lines.display.emit(waiting("m1", 15))
    [line] = lines.said
    assert line.startswith("  1 of 8 actions finished; m1 waiting, 0 of 1 new replicas, loading, 15 s; m2 ")
    assert line.endswith("; and 1 more")
    lines.display.emit(waiting("m1", 16))
    assert lines.said == []


def live(height: int, actions: int) -> tuple[LiveProgress, io.StringIO]:
    stream = io.StringIO()
    console = RichConsole(file=stream, force_terminal=True, width=120, height=height, color_system=None)
    return LiveProgress(actions, console), stream


def test_the_live_display_has_a_line_for_each_model_and_the_counts() -> None:
    display, stream = live(40, 3)
    with display:
        display.emit(WaveStarted(1, 1, ("a", "b")))
        display.emit(waiting("a", 3))
        display.emit(waiting("b\033[2J", 4))
        display.emit(Finished(Outcome("c", Result.FAILED, "", seconds=1)))
    said = stream.getvalue()
    assert "changing a, b" in said
    assert "c: failed after 1 s" in said
    assert "1 of 3 actions finished, 1 failed" in said
    assert "b\\x1b[2J" in said


def test_fifty_models_do_not_fill_the_terminal() -> None:
    display, _ = live(20, 50)
    for number in range(50):
        display.emit(waiting(f"model-{number}", 1))
    console = RichConsole(file=io.StringIO(), width=120, height=20)
    lines = console.render_lines(display._display())
    text = "\n".join("".join(segment.text for segment in line) for line in lines)
    assert len(lines) == 15
    assert "0 of 50 actions finished, 36 more in flight" in text


@pytest.mark.parametrize(("terminal", "kind"), [(False, LineProgress), (True, LiveProgress)])
def test_the_kind_of_display_follows_the_terminal(terminal: bool, kind: type) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    console = Console({"TERM": "xterm"}, io.StringIO(), io.StringIO(), Stream())
    with progress(console, 1, lambda: 0.0) as emit:
        assert type(emit.__self__) is kind  # type: ignore[attr-defined]
