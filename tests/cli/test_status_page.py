"""The page of `status --watch` on terminals of several sizes."""

import io

import pytest
from rich.console import Console

from reconciler.cli.look import Look
from reconciler.cli.status_page import StatusPage
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.work import ReplicaWork, Work
from reconciler.status.observe import observe
from reconciler.views.status_text import Surroundings
from tests.support.screen import shown
from tests.support.states import deployed, desired, live_application, model

STATE = desired(*(model(f"org/model-with-a-long-name-{number:02}") for number in range(50)))


def look() -> Look:
    """Fifty models, one of them ill, one not there, one busy."""
    running = deployed(STATE).applications
    ill = live_application(running[7].application.config, status=ApplicationStatus.UNHEALTHY)  # type: ignore[union-attr]
    applications = (*running[:7], ill, *running[8:40], *running[41:])
    live = LiveState("2.60.0", applications, deployed(STATE).nodes, {})
    said = {
        one.name: (ReplicaWork(f"{one.name}#0", 5, 3 if one.name.endswith("30") else 0, 9.0, 60.0),)
        for one in applications
    }
    return Look(observe(STATE, live, Work(said), "2026-03-01T10:40:03+00:00"), Surroundings(), {}, True, None)


def page(width: int, height: int) -> list[str]:
    """What is on a terminal of that size after three looks."""
    output = io.StringIO()
    with StatusPage(2.0, Console(file=output, width=width, height=height, force_terminal=True)) as found:
        for _ in range(3):
            found.show(look())
    return shown(output.getvalue(), width, height)


@pytest.mark.parametrize("width", [60, 100, 200])
@pytest.mark.parametrize("height", [12, 24, 60, 130])
def test_it_fits(width: int, height: int) -> None:
    lines = page(width, height)
    assert lines[0].startswith("2026-03-01 10:40:03 UTC")
    assert lines[-1] == "1 node"
    assert sum(line.startswith("cluster gpus") for line in lines) == 1


def test_what_is_wrong_or_busy_stays_on_a_small_one() -> None:
    lines = page(120, 24)
    names = [line.split()[0] for line in lines if line.startswith(("org--", "gateway"))]
    assert names[:3] == [
        "org--model-with-a-long-name-06",
        "org--model-with-a-long-name-39",
        "org--model-with-a-long-name-30",
    ]
    assert any(line.startswith("… and ") for line in lines)


def test_replicas_are_there_where_there_is_room() -> None:
    assert sum("#0" in line for line in page(120, 130)) == 50
    assert sum("#0" in line for line in page(120, 70)) == 0
