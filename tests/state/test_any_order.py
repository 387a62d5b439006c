"""Promises for every order against plain runs: one replica after the other, with picks by chance."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.enough import has_enough
from reconciler.state.free import Free
from reconciler.state.outcomes import outcomes
from reconciler.state.placement import Room
from reconciler.state.ray_pass import ray_pass
from reconciler.state.search import Answer, Budget
from reconciler.state.starts import Start, count_kinds
from tests.support.strategies import bundles, nodes

RUNS = 25

some_starts = st.lists(st.builds(Start, bundles, st.integers(1, 3)), min_size=1, max_size=4)
fractions = st.lists(
    st.fixed_dictionaries({"GPU": st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 1.0, 1.5, 2.0])}),
    min_size=1,
    max_size=3,
)
fractional_starts = st.lists(
    st.builds(
        Start,
        st.builds(Bundles, fractions.map(tuple), st.sampled_from(list(PlacementStrategy))),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=4,
)
gpu_nodes = st.lists(st.fixed_dictionaries({"GPU": st.integers(1, 8).map(float)}), min_size=1, max_size=5)


def run(room: Room, order: Sequence[Bundles], random: Random) -> Counter[Free] | None:
    """What is free when one replica after the other has its place, or None when one finds none."""
    free = dict(enumerate(Counter(room.kinds).elements()))
    for replica in order:
        groups = {one: [node for node in free if free[node] == one] for one in free.values()}
        found = ray_pass(
            replica.units, replica.strategy, groups, lambda equal: random.choice([*chain.from_iterable(equal)])
        )
        if found is None:
            return None
        free.update(found.left)
    return Counter(free.values())


def some_runs(room: Room, starts: Sequence[Start], random: Random) -> list[Counter[Free] | None]:
    """How it ends in some orders with some luck."""
    order = [start.bundles for start in starts for _ in range(start.count)]
    return [run(room, random.sample(order, len(order)), random) for _ in range(RUNS)]


@given(nodes, some_starts, st.randoms(use_true_random=False))
def test_what_is_said_of_every_order_holds_in_any(
    free: list[dict[str, float]], starts: list[Start], random: Random
) -> None:
    check(Room(free), starts, random)


@given(gpu_nodes, fractional_starts, st.randoms(use_true_random=False))
def test_fractions_of_devices_are_told_truly(free: list[dict[str, float]], starts: list[Start], random: Random) -> None:
    check(Room(free), starts, random)


def check(room: Room, starts: list[Start], random: Random) -> None:
    said, rooms = outcomes([room], starts, frozenset(), Budget(3000))
    ends = some_runs(room, starts, random)
    if has_enough(room, count_kinds(starts), {}):
        assert said is not Answer.NO
        assert None not in ends
    if said is Answer.YES:
        known = [Counter(one.kinds) for one in rooms]
        assert all(end in known for end in ends)
