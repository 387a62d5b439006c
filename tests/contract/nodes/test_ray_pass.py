"""The room on the nodes against a real Ray cluster of several nodes: what is called feasible is placed, and where it is
said; what is refused stays pending."""

from collections.abc import Iterator
from random import Random

import pytest

from reconciler.registry.choices import PlacementStrategy
from reconciler.serve.local.record import LocalCluster
from reconciler.serve.rest import RestClient
from reconciler.state.capacity import Bundles, add_up
from reconciler.state.live import LiveState, Node
from reconciler.state.outcomes import outcomes
from reconciler.state.placement import Room
from reconciler.state.search import Answer, Budget
from reconciler.state.starts import Start
from tests.support.nodes import Driver, driver
from tests.support.soak import sampled

pytestmark = pytest.mark.ray

SEEDS = sampled(range(40), range(5))
PLACED_S, PENDING_S = 20.0, 2.0
"""How long a group that fits may take when a raylet refuses first, and how long one that does not is watched."""

Placed = list[tuple[Bundles, list[str]]]


@pytest.fixture(scope="module")
def nodes(cluster_of_four: LocalCluster) -> tuple[Node, ...]:
    with RestClient(cluster_of_four.dashboard_address, token=cluster_of_four.token) as client:
        state = client.live_state()
    assert isinstance(state, LiveState)
    assert len(state.nodes) == 4
    return state.nodes


@pytest.fixture(scope="module")
def ray(cluster_of_four: LocalCluster) -> Iterator[Driver]:
    with driver(cluster_of_four) as found:
        yield found


@pytest.fixture(autouse=True)
def empty(ray: Driver) -> Iterator[None]:
    yield
    ray.clear()


def room(nodes: tuple[Node, ...], placed: Placed) -> Room:
    """The nodes with what Ray has placed on them until now, piece by piece."""
    held = [
        [bundle for group, places in placed for bundle, place in zip(group.bundles, places, strict=True) if place == ID]
        for ID in (node.node_id for node in nodes)
    ]
    return Room(
        (node.total for node in nodes),
        map(add_up, held),
        ({"GPU": [bundle.get("GPU", 0.0) for bundle in bundles]} for bundles in held),
    )


def some_group(random: Random) -> Bundles:
    strategy = random.choice(list(PlacementStrategy))
    bundles = []
    for _ in range(random.choice([1, 1, 2, 3, 4])):
        bundle = {"GPU": random.choice([0.3, 0.5, 0.6, 1.0, 1.0, 2.0, 3.0])}
        if random.random() < 0.4:
            bundle["CPU"] = random.choice([0.5, 1.0, 2.0, 3.0])
        if random.random() < 0.15:
            bundle[random.choice(["accelerator_type:L4", "big"])] = 0.001
        bundles.append(bundle)
    return Bundles(tuple(bundles), strategy)


@pytest.mark.parametrize("seed", SEEDS)
def test_ray_places_what_is_said_to_fit_and_nothing_else(ray: Driver, nodes: tuple[Node, ...], seed: int) -> None:
    random = Random(seed)
    placed: Placed = []
    refused = 0
    while refused < 2:
        group = some_group(random)
        here = room(nodes, placed)
        said, otherwise = here.copy().take(group), here.with_other_luck().take(group)
        assert (said is None) is (otherwise is None)
        there = ray.make([dict(one) for one in group.bundles], group.strategy.value, PLACED_S if said else PENDING_S)
        told = f"{group} where {here.free} was free went to {there}"
        assert (there is None) is (said is None), told
        if said is None or there is None:
            refused += 1
            continue
        if said == otherwise and all(float(bundle["GPU"]).is_integer() for bundle in group.bundles):
            assert there == [nodes[index].node_id for index in said.nodes], told
        placed.append((group, there))


@pytest.mark.parametrize("seed", SEEDS)
def test_ray_places_in_any_order_what_is_promised_in_every(ray: Driver, nodes: tuple[Node, ...], seed: int) -> None:
    random = Random(seed)
    groups: list[Bundles] = []
    for _ in range(12):
        more = [*groups, some_group(random)]
        answer, _ = outcomes([room(nodes, [])], [Start(group, 1) for group in more], (), Budget(2000))
        groups = more if answer is Answer.YES else groups
    for _ in range(3):
        for group in random.sample(groups, len(groups)):
            assert ray.make([dict(one) for one in group.bundles], group.strategy.value, PLACED_S) is not None
        ray.clear()


@pytest.mark.parametrize(
    ("before", "group", "fits"),
    [
        pytest.param([], Bundles(({"GPU": 1.0},) * 9, PlacementStrategy.SPREAD), True, id="spread-falls-back"),
        pytest.param([], Bundles(({"GPU": 2.0},) * 4), True, id="pack-spills-over"),
        pytest.param(
            [Bundles(({"GPU": 2.0, "accelerator_type:L4": 0.001},))],
            Bundles(({"GPU": 3.0}, {"GPU": 2.0}, {"GPU": 2.0})),
            False,
            id="no-cleverness",
        ),
        pytest.param([Bundles(({"GPU": 1.0},))], Bundles(({"GPU": 4.0},)), False, id="small-one-on-the-large-node"),
        pytest.param(
            [Bundles(({"GPU": 0.6, "accelerator_type:L4": 0.001},))] * 2,
            Bundles(({"GPU": 0.6, "accelerator_type:L4": 0.001},)),
            False,
            id="fractions-stay-on-a-device",
        ),
    ],
)
def test_known_ways_of_ray(
    ray: Driver, nodes: tuple[Node, ...], before: list[Bundles], group: Bundles, fits: bool
) -> None:
    placed: Placed = []
    for one in before:
        there = ray.make([dict(bundle) for bundle in one.bundles], one.strategy.value, PLACED_S)
        assert there is not None
        placed.append((one, there))
    assert (room(nodes, placed).take(group) is not None) is fits
    there = ray.make([dict(one) for one in group.bundles], group.strategy.value, PLACED_S if fits else PENDING_S)
    assert (there is not None) is fits
