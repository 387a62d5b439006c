"""Two applies whose every request is disturbed in turn: one that changes three models, and one that goes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.cli import FakeClock, Ran
from tests.support.fault_proxy import Request
from tests.support.rig import Rig, failing, rigged

FAILURE = "CUDA out of memory. Tried to allocate 2 GiB"
STORIES = ("change", "roll back")


@contextmanager
def story(name: str, root: Path, tick_s: float = 0.0) -> Iterator[Rig]:
    """Two models and the neighbour run; the registry wants one restarted, the other scaled, and a third one. When it
    is to `roll back`, what is restarted cannot start."""
    with rigged(root, "chat", "other", tick_s=tick_s) as rig:
        rig.write("chat", "max_num_seqs: 4", "max_num_seqs: 8")
        rig.write("other", "max_replicas: 1", "max_replicas: 2")
        rig.write("new")
        if name == "roll back":
            rig.serve.fails = failing(FAILURE)
        yield rig


def undisturbed(name: str, tick_s: float = 0.0) -> tuple[Request, ...]:
    """Everything that such an apply asks for. With `tick_s` as a process of its own does."""
    with TemporaryDirectory() as folder, story(name, Path(folder) / "registry", tick_s) as rig:
        ran = rig.apply(clock=_still(rig) if tick_s else None)
        assert ran.code == (0 if name == "change" else 1), ran
        return tuple(rig.proxy.seen)


def mend(rig: Rig) -> None:
    """The model file that cannot start is corrected."""
    rig.write("chat", "max_num_seqs: 4", "max_num_seqs: 6")


def assert_converges(rig: Rig, run: Callable[[], Ran]) -> Ran:
    """Run again: it succeeds, says something, and leaves nothing to do for the next run; what it said."""
    ran = run()
    assert ran.code == 0, ran
    assert "Apply: " in ran.out or "Nothing to do" in ran.out
    puts = len(rig.serve.puts)
    again = run()
    assert again.code == 0, again
    assert "Nothing to do" in again.out
    assert len(rig.serve.puts) == puts
    return ran


class _still(FakeClock):
    """Time that passes only where the cluster is looked at."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.serve)

    def sleep(self, seconds: float) -> None:
        """No time passes."""
