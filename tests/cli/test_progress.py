import io

import pytest
from rich.console import Console as RichConsole

from reconciler.apply.events import DocumentSent, Finished, Phase, Progress, RollbackStarted, SmokeAnswered, WaveStarted
from reconciler.apply.outcome import Outcome, Result
from reconciler.cli.console import Console
from reconciler.cli.live_progress import LiveProgress
from reconciler.cli.progress import FEW, HEARTBEAT_S, LineProgress, progress


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
    assert line.startswith("  1 of 8 actions finished, 6 waiting; m1 waiting, 0 of 1 new replicas, loading, 15 s; m2 ")
    assert line.count("; ") == 5
    lines.display.emit(waiting("m1", 16))
    assert lines.said == []


def test_of_many_applications_only_failures_and_summaries_are_said() -> None:
    lines = Lines(FEW + 1)
    names = [f"m{number}" for number in range(FEW + 1)]
    for second in range(4):
        for name in names:
            lines.display.emit(waiting(name, second, running=second % 2))
    assert lines.said == []
    lines.display.emit(SmokeAnswered("m1", "a completion", "hello", 0.1))
    lines.display.emit(Finished(Outcome("m1", Result.APPLIED, "")))
    lines.display.emit(Finished(Outcome("m2", Result.APPLIED, "")))
    assert lines.said == []
    lines.display.emit(RollbackStarted("m3", "no GPU"))
    assert lines.said == ["m3: failed, going back to what was there: no GPU"]
    lines.now = HEARTBEAT_S
    lines.display.emit(waiting("m4", 20))
    assert lines.said == [
        "  done: m1, m2",
        "  2 of 9 actions finished, 1 failed, 7 waiting; m4 waiting, 0 of 1 new replicas, loading, 20 s; "
        "m0 waiting, 1 of 1 new replicas, loading, 3 s",
    ]
    lines.display.emit(Finished(Outcome("m3", Result.ROLLED_BACK, "")))
    assert lines.said == ["m3: failed and rolled back after 0 s"]
    lines.display.emit(Finished(Outcome("m4", Result.APPLIED, "")))
    lines.display.close()
    assert lines.said[0] == "  done: m4"
    lines.display.close()
    assert lines.said == []


def test_fifty_models_are_a_page_of_a_log() -> None:
    lines = Lines(50)
    lines.display.emit(WaveStarted(1, 1, tuple(f"m{number}" for number in range(50))))
    for second in range(600):
        lines.now = float(second)
        for number in range(50):
            if second < number * 12:
                lines.display.emit(waiting(f"m{number}", second, running=second % 2, message=f"step {second % 7}"))
            elif second == number * 12:
                lines.display.emit(Finished(Outcome(f"m{number}", Result.APPLIED, "")))
    lines.display.close()
    said = lines.said
    assert len(said) < 100
    assert sum(line.count(f"m{number}") for number in range(50) for line in said if "done" in line) >= 50


def live(height: int, actions: int, width: int = 120) -> tuple[LiveProgress, io.StringIO]:
    stream = io.StringIO()
    console = RichConsole(file=stream, force_terminal=True, width=width, height=height, color_system=None)
    return LiveProgress(actions, console), stream


def drawn(display: LiveProgress, width: int, height: int) -> list[str]:
    console = RichConsole(file=io.StringIO(), width=width, height=height)
    lines = console.render_lines(display._display(), pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


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
    lines = drawn(display, 120, 20)
    assert len(lines) == 13
    assert lines[-2] == "… and 39 more in flight"
    assert lines[-1].endswith("0 of 50 actions finished, 50 waiting")


def test_what_failed_stays_in_sight_and_what_goes_back_comes_first() -> None:
    display, _ = live(24, 50, 80)
    for number in range(50):
        display.emit(waiting(f"model-{number:02}-with-a-rather-long-name-for-a-terminal", number, message="loading it"))
    back = "model-01-with-a-rather-long-name-for-a-terminal"
    display.emit(RollbackStarted(back, "no GPU"))
    display.emit(Progress(back, Phase.ROLLING_BACK, "starting", 0, 1, 3.0))
    display.emit(Finished(Outcome("other", Result.FAILED, "")))
    lines = drawn(display, 80, 24)
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) == 18
    assert lines[0].split() == ["model-01-with-a…for-a-terminal", "rolling", "back", "0/1", "3", "s", "starting"]
    assert lines[1].split()[0].startswith("model-49-")
    assert lines[1].endswith("loading it")
    assert lines[-2] == f"failed: {back}, other"
    assert lines[-1].endswith("1 of 50 actions finished, 2 failed, 49 waiting, 1 rolling back")


def test_a_tall_terminal_is_not_filled_either() -> None:
    display, _ = live(50, 50, 200)
    for number in range(50):
        display.emit(waiting(f"model-{number}", 1))
    assert len(drawn(display, 200, 50)) == 17


@pytest.mark.parametrize(("terminal", "kind"), [(False, LineProgress), (True, LiveProgress)])
def test_the_kind_of_display_follows_the_terminal(terminal: bool, kind: type) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    console = Console({"TERM": "xterm"}, io.StringIO(), io.StringIO(), Stream())
    with progress(console, 1, lambda: 0.0) as emit:
        assert type(emit.__self__) is kind  # type: ignore[attr-defined]
