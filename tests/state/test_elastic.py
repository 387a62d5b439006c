from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.elastic import ElasticRoom, NodeType, spare_nodes, with_all
from reconciler.state.live import Node
from reconciler.state.placement import Room
from tests.support.strategies import bundles, nodes

L4 = NodeType("l4", {"CPU": 8.0, "GPU": 1.0, "accelerator_type:L4": 1.0}, 3)
A100 = NodeType("a100", {"CPU": 96.0, "GPU": 8.0, "accelerator_type:A100": 1.0}, 2)
CPUS = NodeType("cpus", {"CPU": 16.0}, 5)


def node(name: str = "n", kind: str | None = None, **total: float) -> Node:
    return Node(name, {key.replace("__", ":"): amount for key, amount in total.items()}, {}, kind)


def gpus(count: float, **more: Any) -> Bundles:
    return Bundles(({"GPU": count},), **more)


def left(*found: Node) -> dict[str, int]:
    return {kind.name: count for kind, count in spare_nodes((A100, CPUS, L4), found).items()}


def test_without_nodes_all_may_be_added() -> None:
    assert left() == {"a100": 2, "cpus": 5, "l4": 3}


def test_a_node_is_of_the_type_that_its_label_names() -> None:
    assert left(node(kind="l4", CPU=4)) == {"a100": 2, "cpus": 5, "l4": 2}


def test_else_of_the_type_that_has_the_same() -> None:
    exact = node(CPU=8, GPU=1, accelerator_type__L4=1, memory=5e9, node__10=1)
    # The container got a little less than the machine has.
    alike = node(CPU=7, GPU=1, accelerator_type__L4=1)
    assert left(exact, alike, node(CPU=16)) == {"a100": 2, "cpus": 4, "l4": 1}


def test_what_is_like_no_type_counts_towards_none() -> None:
    assert left(node(CPU=4), node(GPU=4), node(kind="other", CPU=1)) == {"a100": 2, "cpus": 5, "l4": 3}


def test_there_are_never_fewer_than_none_left() -> None:
    assert left(*(node(str(number), "l4") for number in range(5)))["l4"] == 0


def elastic(*types: NodeType, there: tuple[dict[str, float], ...] = ()) -> ElasticRoom:
    return ElasticRoom(Room(there), {kind: kind.most for kind in types})


def test_what_fits_on_the_nodes_that_are_there_adds_none() -> None:
    room = elastic(L4, there=({"GPU": 1.0},))
    assert room.take_all(gpus(1), 1) is not None
    assert room.added == {}


def test_as_few_nodes_as_needed_are_added() -> None:
    room = elastic(L4, A100, there=({"GPU": 1.0},))
    assert room.take_all(gpus(1), 3) is not None
    assert room.added == {"l4": 2}
    assert room.used["GPU"] == 3


def test_the_smallest_type_that_holds_it_is_added() -> None:
    room = elastic(L4, A100)
    assert room.take_all(gpus(2), 1) is not None
    assert room.added == {"a100": 1}
    assert room.take_all(Bundles(({"GPU": 1.0}, {"GPU": 1.0})), 4) is not None
    assert room.added == {"a100": 2} or room.added == {"a100": 1, "l4": 2}


def test_a_replica_may_take_nodes_of_several_types() -> None:
    room = elastic(L4, CPUS)
    replica = Bundles(({"CPU": 16.0}, {"GPU": 1.0}, {"GPU": 1.0}), PlacementStrategy.STRICT_SPREAD)
    assert room.take_all(replica, 1) is not None
    assert room.added == {"cpus": 1, "l4": 2}


@pytest.mark.parametrize("replica", [gpus(16), Bundles(({"TPU": 1.0},)), Bundles(({"CPU": 16.0}, {"TPU": 1.0}))])
def test_what_even_the_most_cannot_hold_changes_nothing(replica: Bundles) -> None:
    room = elastic(L4, A100, CPUS)
    before = room.copy()
    assert room.take_all(replica, 1) is None
    assert (room.added, room.spare, room.free) == (before.added, before.spare, before.free)


def test_all_or_nothing() -> None:
    room = elastic(L4)
    assert room.take_all(gpus(1), 4) is None
    assert room.added == {}
    assert room.take_all(gpus(1), 3) is not None


def test_every_node_that_may_be_added_makes_the_largest_cluster() -> None:
    full = with_all(Room([{"GPU": 2.0}]), {L4: 2, A100: 1})
    assert sum(node["GPU"] for node in full.total) == 12


@given(st.lists(bundles, max_size=4), nodes, st.integers(0, 2), st.integers(0, 2))
def test_no_more_nodes_are_added_than_there_may_be(
    replicas: list[Bundles], free: list[dict[str, float]], small: int, large: int
) -> None:
    room = ElasticRoom(Room(free), {L4: small, A100: large})
    for replica in replicas:
        plain = Room(room.free).take(replica) is not None
        taken = room.take_all(replica, 1) is not None
        assert taken or not plain
        assert room.added.get("l4", 0) + room.spare[L4] == small
        assert room.added.get("a100", 0) + room.spare[A100] == large
        assert len(room.free) == len(free) + sum(room.added.values())
