from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.placement import RESOLUTION, Room, place, to_units
from reconciler.state.search import Answer, Budget
from tests.support.strategies import bundles, nodes

GPU = {"GPU": 1.0}


def group(count: int, strategy: PlacementStrategy, **resources: float) -> Bundles:
    return Bundles(({**resources},) * count, strategy)


def nodes_of(replica: Bundles, *free: dict[str, float]) -> tuple[int, ...] | None:
    placement = Room(free).take(replica)
    return placement.nodes if placement else None


def test_pack_uses_one_node_when_one_can_hold_all() -> None:
    assert nodes_of(group(2, PlacementStrategy.PACK, GPU=1), {"GPU": 1}, {"GPU": 4}) == (1, 1)


def test_ray_prefers_the_node_where_the_largest_share_stays_free() -> None:
    assert nodes_of(group(2, PlacementStrategy.PACK, GPU=1), {"GPU": 2}, {"GPU": 8}) == (1, 1)
    assert nodes_of(group(1, PlacementStrategy.STRICT_PACK, GPU=1), {"GPU": 2}, {"GPU": 8}) == (1,)


def test_pack_fills_a_node_before_it_takes_the_next() -> None:
    assert nodes_of(group(4, PlacementStrategy.PACK, GPU=1), {"GPU": 1}, {"GPU": 3}, {"GPU": 2}) == (1, 1, 1, 2)


def test_ray_does_not_look_for_a_cleverer_placement() -> None:
    replica = Bundles(({"GPU": 3.0}, {"GPU": 2.0}, {"GPU": 2.0}))
    room = Room([{"GPU": 4.0}, {"GPU": 3.0}])
    assert room.take(replica) is None
    assert room.could_hold(replica, 1, Budget()) is Answer.YES


def test_a_small_one_first_may_take_the_place_of_a_large_one() -> None:
    small, large, nodes = Bundles((GPU,)), Bundles(({"GPU": 4.0},)), [{"GPU": 4.0}, {"GPU": 2.0}]
    assert [one and one.nodes for one in place([small, large], nodes)] == [(0,), None]
    assert [one and one.nodes for one in place([large, small], nodes)] == [(0,), (1,)]


def test_chance_decides_among_equals() -> None:
    room = Room([{"GPU": 2.0, "CPU": 1.0}, {"GPU": 2.0}])
    first, other = room.take(Bundles((GPU,))), room.with_other_luck().take(Bundles((GPU,)))
    assert first is not None
    assert other is not None
    assert (first.nodes, other.nodes) == ((0,), (1,))


def test_pack_fails_when_a_bundle_fits_nowhere() -> None:
    assert nodes_of(group(3, PlacementStrategy.PACK, GPU=2), {"GPU": 3}, {"GPU": 3}) is None
    assert nodes_of(group(1, PlacementStrategy.PACK, GPU=1)) is None


def test_strict_pack_wants_one_node() -> None:
    assert nodes_of(group(2, PlacementStrategy.STRICT_PACK, GPU=1), {"GPU": 1}, {"GPU": 1}) is None
    assert nodes_of(group(2, PlacementStrategy.STRICT_PACK, GPU=1), {"GPU": 1}, {"GPU": 2}) == (1, 1)


def test_spread_uses_other_nodes_first_and_then_the_same_again() -> None:
    assert nodes_of(group(3, PlacementStrategy.SPREAD, GPU=1), {"GPU": 2}, {"GPU": 2}) == (0, 1, 0)
    assert nodes_of(group(3, PlacementStrategy.SPREAD, GPU=1), {"GPU": 1}, {"GPU": 1}) is None


def test_strict_spread_wants_a_node_for_each_bundle() -> None:
    assert nodes_of(group(2, PlacementStrategy.STRICT_SPREAD, GPU=1), {"GPU": 8}) is None
    assert nodes_of(group(2, PlacementStrategy.STRICT_SPREAD, GPU=1), {"GPU": 8}, {"GPU": 1}) == (0, 1)


def test_accelerator_types_and_fractions_count() -> None:
    replica = Bundles(({"GPU": 0.5, "accelerator_type:L4": 0.001},))
    l4, h100 = {"GPU": 1.0, "accelerator_type:L4": 1.0}, {"GPU": 8.0, "accelerator_type:H100": 1.0}
    assert [one and one.nodes for one in place([replica] * 3, [h100, l4])] == [(1,), (1,), None]


def test_a_tenth_ten_times_is_one() -> None:
    assert None not in place([Bundles(({"GPU": 0.1},))] * 10, [{"GPU": 1.0}])


@pytest.mark.parametrize("strategy", list(PlacementStrategy))
def test_nothing_needs_no_node(strategy: PlacementStrategy) -> None:
    assert nodes_of(Bundles((), strategy)) == ()


def test_all_or_none_of_several_replicas_are_placed() -> None:
    room = Room([{"GPU": 2.0}])
    assert room.take_all(Bundles((GPU,)), 3) is None
    assert room.free == ({"GPU": 2.0},)
    assert len(room.take_all(Bundles((GPU,)), 2) or ()) == 2
    assert room.used == {"GPU": 2.0}


def test_counting_places_nothing() -> None:
    room = Room([{"GPU": 2.0}])
    assert room.count(Bundles((GPU,)), 5) == 2
    assert room.count(Bundles((GPU,)), 1) == 1
    assert room.used == {"GPU": 0.0}


def test_what_is_in_use_is_not_free_even_when_more_is_reported_than_there_is() -> None:
    assert Room([{"GPU": 2.0, "CPU": 4.0}], [{"GPU": 3.0}]).free == ({"GPU": 0.0, "CPU": 4.0},)


def test_a_released_replica_leaves_its_node_and_then_the_next_ones_in_use() -> None:
    room = Room([{"GPU": 1.0}, {"GPU": 1.0}, {"GPU": 1.0}], [{"GPU": 1.0}, {}, {"GPU": 1.0}])
    room.release(Bundles((GPU, GPU)), 2)
    assert room.free == ({"GPU": 1.0}, {"GPU": 1.0}, {"GPU": 1.0})


def test_releasing_more_than_is_in_use_changes_nothing() -> None:
    room = Room([{"GPU": 1.0}])
    room.release(Bundles((GPU, {"TPU": 1.0})), 0)
    assert room.free == ({"GPU": 1.0},)


def test_copies_are_independent() -> None:
    room = Room([{"GPU": 1.0}])
    trial = room.copy()
    trial.take(Bundles((GPU,)))
    assert room.used == {"GPU": 0.0}
    room.become(trial)
    assert room.used == {"GPU": 1.0}
    assert room.emptied().used == {"GPU": 0.0}


@given(st.lists(bundles, max_size=6), nodes)
def test_no_node_ever_holds_more_than_it_has(replicas: list[Bundles], free: list[dict[str, float]]) -> None:
    held: list[dict[str, int]] = [{} for _ in free]
    for placement in place(replicas, free):
        for bundle, node in zip(
            placement.bundles.bundles if placement else (), placement.nodes if placement else (), strict=True
        ):
            for resource, amount in bundle.items():
                held[node][resource] = held[node].get(resource, 0) + round(amount * RESOLUTION)
    for node, has in zip(held, free, strict=True):
        assert all(amount <= to_units(has).get(resource, 0) for resource, amount in node.items())


@given(bundles, nodes)
def test_strategies_keep_their_word(replica: Bundles, free: list[dict[str, float]]) -> None:
    chosen = nodes_of(replica, *free)
    if chosen is not None:
        assert len(chosen) == len(replica.bundles)
        if replica.strategy is PlacementStrategy.STRICT_PACK:
            assert len(set(chosen)) == 1
        if replica.strategy is PlacementStrategy.STRICT_SPREAD:
            assert len(set(chosen)) == len(chosen)


@given(st.lists(bundles, max_size=3), nodes, st.integers(1, 3))
def test_all_or_nothing_leaves_the_room_as_it_was(
    replicas: list[Bundles], free: list[dict[str, float]], count: int
) -> None:
    room = Room(free)
    for replica in replicas:
        before = room.free
        if room.take_all(replica, count) is None:
            assert room.free == before


@given(st.lists(bundles, max_size=4), nodes)
def test_placing_is_deterministic(replicas: list[Bundles], free: list[dict[str, float]]) -> None:
    assert place(replicas, free) == place(list(chain(replicas)), [dict(node) for node in free])


@pytest.mark.parametrize("strategy", list(PlacementStrategy))
def test_every_strategy_places_a_single_bundle(strategy: PlacementStrategy) -> None:
    assert nodes_of(group(1, strategy, GPU=1), {"CPU": 1}, {"GPU": 1}) == (1,)


def test_a_running_replica_is_counted_on_its_node_and_then_on_the_next_with_room() -> None:
    room = Room([{"GPU": 1.0}, {"GPU": 1.0}, {"GPU": 1.0}])
    room.occupy(Bundles((GPU, GPU)), 2)
    assert room.free == ({"GPU": 0.0}, {"GPU": 1.0}, {"GPU": 0.0})
    room.occupy(Bundles((GPU, GPU)), 0)
    assert room.used == {"GPU": 3.0}


def test_a_room_looks_like_another_whichever_nodes_are_which() -> None:
    one, other = Room([{"GPU": 1.0}, {"GPU": 2.0}]), Room([{"GPU": 2.0}, {"GPU": 1.0}])
    assert one.looks_like(other)
    assert not one.has_more_than(other)
    assert not one.looks_like(Room([{"GPU": 1.0}, {"GPU": 2.0}, {"GPU": 2.0}]))
    assert not one.looks_like(Room([{"GPU": 3.0}, {"GPU": 2.0}]))
    assert Room([{"GPU": 3.0}, {"GPU": 2.0}]).has_more_than(one)
