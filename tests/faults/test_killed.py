"""`kill -9` before and after every single request of an apply that runs as a process of its own: running again ends
where the first run would have, and says what it found."""

from pathlib import Path

import pytest

from reconciler.state.live import ApplicationStatus
from tests.faults.stories import STORIES, assert_converges, mend, story, undisturbed
from tests.support.fault_proxy import Request
from tests.support.rig import NEIGHBOUR
from tests.support.soak import sampled, spread

TICK_S = 1.0
PLACES = {name: range(1, len(undisturbed(name, TICK_S)) + 1) for name in STORIES}
"""The numbers of all requests of each story."""
SAMPLE = {name: spread(numbers, 5) for name, numbers in PLACES.items()}


@pytest.mark.parametrize("arrived", [False, True], ids=["before it arrives", "after it arrived"])
@pytest.mark.parametrize("number", sampled(PLACES["change"], SAMPLE["change"]))
def test_a_killed_apply_is_finished_by_running_again(number: int, arrived: bool, tmp_path: Path) -> None:
    with story("change", tmp_path / "registry", TICK_S) as rig:
        before = rig.live()
        killed = rig.kill_at(number, arrived=arrived)
        assert killed.code == -9, killed
        found: list[str] = []

        def look(request: Request) -> None:
            """What the next run finds on its way. Something settles by the time it looks."""
            if request.number == 1:
                live = rig.live().applications
                found.extend(entry.name for entry in live if entry.status is not ApplicationStatus.RUNNING)

        rig.proxy.after = look
        ran = assert_converges(rig, rig.apply)
        for name in found:
            assert f"{name}: applied" in ran.out
        rig.assert_nothing_of_others_moved(before)
        assert {entry.name for entry in rig.live().applications} == {
            "gateway",
            "acme--chat",
            "acme--other",
            "acme--new",
            NEIGHBOUR["name"],
        }


@pytest.mark.parametrize("arrived", [False, True], ids=["before it arrives", "after it arrived"])
@pytest.mark.parametrize("number", sampled(PLACES["roll back"], SAMPLE["roll back"]))
def test_a_killed_apply_of_a_model_that_fails_can_be_mended(number: int, arrived: bool, tmp_path: Path) -> None:
    with story("roll back", tmp_path / "registry", TICK_S) as rig:
        before = rig.live()
        serving = rig.replica_ids("acme--chat")
        assert rig.kill_at(number, arrived=arrived).code == -9
        failed = rig.apply()
        assert failed.code == 1
        assert "CUDA out of memory" in failed.out
        assert "the GPU ran out of memory" in failed.out
        assert rig.replica_ids("acme--chat") == serving
        mend(rig)
        assert_converges(rig, rig.apply)
        rig.assert_nothing_of_others_moved(before)
