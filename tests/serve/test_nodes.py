from typing import Any

import pytest

from reconciler.serve.nodes import read_lost
from reconciler.state.live import LostNode

L4 = {"GPU": 1.0, "CPU": 8.0, "accelerator_type:L4": 1.0}
WHY = "Unexpected termination: health check failed due to missing too many heartbeats"


def row(name: str, start_s: float, end_s: float = 0, why: str | None = None, **more: Any) -> dict[str, Any]:
    """A node as the state API tells it, on an address of its own."""
    total = {"memory": 1e9 * start_s, f"node:10.0.0.{name}": 1.0, **L4}
    return {
        "node_id": name,
        "node_ip": f"10.0.0.{name}",
        "state": "DEAD" if end_s else "ALIVE",
        "state_message": why,
        "resources_total": total,
        "labels": {},
        "start_time_ms": int(start_s * 1000),
        "end_time_ms": int(end_s * 1000),
        **more,
    }


def lost(*rows: dict[str, Any]) -> list[str]:
    return [one.node_id for one in read_lost({"data": {"result": {"result": list(rows)}}})]


def test_a_node_that_died_is_lost_until_another_of_its_kind_joins() -> None:
    died = row("1", 10, 50, WHY)
    assert lost(row("2", 5), died) == ["1"]
    assert lost(row("2", 60), died) == []
    assert lost(row("2", 60, resources_total={"CPU": 8.0}), died) == ["1"]
    assert lost(row("2", 60, labels={"ray.io/node-group": "spot"}), died) == ["1"]


def test_one_node_replaces_one_even_if_it_left_since() -> None:
    first, second = row("1", 10, 50, WHY), row("3", 10, 55, "Terminated due to preemption")
    assert lost(first, second, row("2", 60)) == ["3"]
    idle = row("4", 70, 90, "Terminated due to idle (no Ray activity): ...")
    assert lost(first, second, row("2", 60), idle) == []
    again = row("2", 60, 80, WHY)
    assert lost(first, again, row("5", 85)) == []
    assert lost(first, again) == ["2"]


@pytest.mark.parametrize(
    "why", [None, "Expected termination: received SIGTERM", "Terminated due to idle (no Ray activity)"]
)
def test_a_node_that_was_taken_away_is_not_lost(why: str | None) -> None:
    assert lost(row("1", 10, 50, why)) == []


def test_what_is_known_of_it() -> None:
    [found] = read_lost({"data": {"result": {"result": [row("1", 10, 50, WHY)]}}})
    assert found == LostNode("1", "10.0.0.1", {"memory": 1e10, "node:10.0.0.1": 1.0, **L4}, None, WHY, 50.0)
    bare = {"node_id": "1", "state": "DEAD", "state_message": WHY}
    assert read_lost({"data": {"result": {"result": [bare]}}}) == (LostNode("1", "", {}, None, WHY, 0.0),)
