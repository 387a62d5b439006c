import pytest

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.devices import devices_of, give, in_use, take, ways
from reconciler.state.placement import Room, place

HALF, ONE = 5_000, 10_000


def test_a_whole_device_has_to_be_entirely_free() -> None:
    assert take((4_000, 4_000), 8_000) is None
    assert take((HALF, ONE), ONE) == (0, HALF)
    assert take((HALF, HALF), ONE) is None


def test_a_fraction_goes_where_least_is_left() -> None:
    assert take((4_000, HALF, ONE), 4_500) == (500, 4_000, ONE)
    assert list(ways((HALF, HALF, ONE), 2_000)) == [(3_000, HALF, ONE), (HALF, HALF, 8_000)]


def test_one_and_a_half_take_one_and_half_of_another() -> None:
    assert take((ONE, ONE), 15_000) == (0, HALF)
    assert take((ONE,), 15_000) is None
    assert take((ONE,), HALF) == (HALF,)


def test_a_fraction_is_given_back_to_the_device_that_it_fills() -> None:
    assert give((HALF, 8_000), 2_000) == (HALF, ONE)
    assert give((0, HALF), HALF) == (0, ONE)
    assert give((0, 0), 20_000) == (ONE, ONE)
    assert give((9_000,), 2_000) == (9_000,)
    assert give((), ONE) == ()


def test_what_is_in_use_is_known_piece_by_piece_or_taken_for_whole_devices() -> None:
    assert devices_of(35_000) == (ONE, ONE, ONE)
    assert in_use(30_000, 12_000, ()) == (0, 8_000, ONE)
    assert in_use(30_000, 12_000, (6_000, 6_000)) == (4_000, 4_000, ONE)
    assert in_use(30_000, HALF, (6_000,)) == (HALF, ONE, ONE)
    # Three of 0.6 leave no device from which 0.2 more can have come, and still something is there.
    assert in_use(30_000, 28_000, (6_000, 6_000, 6_000)) == (0, 0, 2_000)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [([0.7, 0.6, 0.3, 0.4], True), ([0.3, 0.4, 0.7, 0.6], False), ([0.6, 0.6, 0.6], False), ([0.5, 1, 0.5], True)],
)
def test_a_raylet_takes_the_bundles_in_their_order(wanted: list[float], fits: bool) -> None:
    """As on a real node with two GPUs."""
    replica = Bundles(tuple({"GPU": float(amount)} for amount in wanted), PlacementStrategy.STRICT_PACK)
    assert (Room([{"GPU": 2.0}]).take(replica) is not None) is fits


def test_sums_that_would_do_are_no_use_when_no_device_has_it() -> None:
    most = Bundles(({"GPU": 0.6},))
    assert [one is not None for one in place([most] * 3, [{"GPU": 2.0}])] == [True, True, False]


def test_ray_goes_on_to_another_node_when_the_devices_of_the_best_refuse() -> None:
    room = Room([{"GPU": 2.0}, {"GPU": 1.0}], [{"GPU": 1.2}, {"GPU": 0.3}], [{"GPU": [0.6, 0.6]}, {}])
    found = room.take(Bundles(({"GPU": 0.6},)))
    assert found is not None
    assert found.nodes == (1,)


def test_a_replica_with_a_fraction_frees_its_device() -> None:
    room = Room([{"GPU": 2.0}], [{"GPU": 1.1}], [{"GPU": [0.6, 0.5]}])
    assert room.take(Bundles(({"GPU": 1.0},))) is None
    room.release(Bundles(({"GPU": 0.6},)), 0)
    assert room.take(Bundles(({"GPU": 1.0},))) is not None
