"""The search against an oracle that tries every node for every bundle, and every device for every fraction."""

from collections.abc import Iterator
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.free import Free
from reconciler.state.placement import Room
from reconciler.state.search import Answer, Budget, can_hold
from reconciler.state.units import to_units

Amounts = dict[str, float]

amounts = st.fixed_dictionaries(
    {"GPU": st.sampled_from([0.3, 0.5, 0.7, 1.0, 2.0])}, optional={"CPU": st.sampled_from([1.0, 2.0])}
)
small_groups = st.lists(
    st.builds(Bundles, st.lists(amounts, min_size=1, max_size=3).map(tuple), st.sampled_from(list(PlacementStrategy))),
    min_size=1,
    max_size=2,
).filter(lambda groups: sum(len(one.bundles) for one in groups) <= 4)
small_nodes = st.lists(
    st.fixed_dictionaries({"GPU": st.sampled_from([1.0, 2.0, 3.0]), "CPU": st.sampled_from([1.0, 4.0])}),
    min_size=1,
    max_size=3,
)


def fits_on(node: Amounts, bundles: list[Amounts]) -> bool:
    """Whether devices and quantities of one node hold these bundles, with any device for each whole or fraction."""
    if sum(one.get("CPU", 0.0) for one in bundles) > node["CPU"] + 1e-9:
        return False
    devices = int(node["GPU"])
    parts = [part for one in bundles for part in _parts(one["GPU"])]
    for places in product(range(devices), repeat=len(parts)):
        load = [0.0] * devices
        for part, device in zip(parts, places, strict=True):
            load[device] += part
        if max(load, default=0.0) <= 1 + 1e-9:
            return True
    return not parts


def _parts(gpus: float) -> Iterator[float]:
    yield from [1.0] * int(gpus)
    if gpus % 1:
        yield gpus % 1


def oracle(groups: list[Bundles], nodes: list[Amounts]) -> bool:
    flat = [(number, one) for number, group in enumerate(groups) for one in group.bundles]
    for places in product(range(len(nodes)), repeat=len(flat)):
        used = [
            {place for place, (of, _) in zip(places, flat, strict=True) if of == number}
            for number in range(len(groups))
        ]
        if all(_keeps(group, on) for group, on in zip(groups, used, strict=True)) and all(
            fits_on(node, [one for place, (_, one) in zip(places, flat, strict=True) if place == index])
            for index, node in enumerate(nodes)
        ):
            return True
    return False


def _keeps(group: Bundles, nodes: set[int]) -> bool:
    if group.strategy is PlacementStrategy.STRICT_PACK:
        return len(nodes) == 1
    return group.strategy is not PlacementStrategy.STRICT_SPREAD or len(nodes) == len(group.bundles)


def search(groups: list[Bundles], nodes: list[Amounts], budget: Budget | None = None) -> Answer:
    frees = [Free.of_node(to_units(node), {}, {}) for node in nodes]
    return can_hold([(group.units, group.strategy) for group in groups], frees, budget or Budget())


@given(small_groups, small_nodes)
def test_the_search_finds_a_placement_exactly_when_there_is_one(groups: list[Bundles], nodes: list[Amounts]) -> None:
    assert search(groups, nodes) is (Answer.YES if oracle(groups, nodes) else Answer.NO)


@given(small_groups, small_nodes)
def test_what_ray_finds_is_a_placement(groups: list[Bundles], nodes: list[Amounts]) -> None:
    for order in permutations(groups):
        for room in (Room(nodes), Room(nodes).with_other_luck()):
            if all(room.take(group) for group in order):
                assert oracle(groups, nodes)


@given(small_groups, small_nodes, small_nodes)
def test_more_nodes_never_hold_less(groups: list[Bundles], nodes: list[Amounts], more: list[Amounts]) -> None:
    if search(groups, nodes) is Answer.YES:
        assert search(groups, [*nodes, *more]) is Answer.YES


@given(small_groups, small_nodes)
def test_fewer_replicas_never_need_more(groups: list[Bundles], nodes: list[Amounts]) -> None:
    if search(groups, nodes) is Answer.YES:
        assert all(search(groups[:count], nodes) is Answer.YES for count in range(len(groups)))


def test_what_takes_too_long_is_not_known() -> None:
    groups = [Bundles(({"GPU": 0.3 + number / 1000},) * 3) for number in range(6)]
    nodes = [{"GPU": 1.0 + number, "CPU": 1.0} for number in range(3)]
    assert search(groups, nodes, Budget(10)) is Answer.UNKNOWN


def test_very_many_bundles_are_not_searched() -> None:
    budget = Budget()
    assert search([Bundles(({"GPU": 1.0},) * 201)], [{"GPU": 500.0}], budget) is Answer.UNKNOWN
    assert budget.steps == Budget().steps


@pytest.mark.parametrize("strategy", list(PlacementStrategy))
def test_nothing_always_fits(strategy: PlacementStrategy) -> None:
    assert search([Bundles((), strategy)], []) is Answer.YES


def test_equal_nodes_are_told_apart_only_once() -> None:
    budget = Budget(2_000)
    groups = [Bundles(({"GPU": 3.0},) * 2) for _ in range(10)]
    assert search(groups, [{"GPU": 4.0}] * 19, budget) is Answer.NO
    assert budget.steps > 0
