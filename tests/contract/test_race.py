"""Two registries that are applied to one real cluster at the same time; in memory, many more: `apply/test_races.py`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.apply.lease_record import Claim
from reconciler.apply.unlock import end_by_force
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.racer import Racer
from tests.support.world import World

pytestmark = pytest.mark.ray

NAMES = ("left", "right")
CHANGES = 1


@pytest.fixture
def clients(ray_cluster: LocalCluster, ray_world: World) -> Iterator[list[RestClient]]:
    """A connection for each of them, and a lease that nobody holds."""
    address, token = ray_cluster.dashboard_address, ray_cluster.token
    with RestClient(address, token=token) as left, RestClient(address, token=token) as right:
        end_by_force(left, Claim("the test", "before", "tests", None, "1"))
        yield [left, right]


def race(clients: list[RestClient], leased: bool, changes: int, seed: int) -> list[Racer]:
    """Both change and apply their registry a few times."""
    racers = [Racer(name, client, SystemClock(), leased, seed) for name, client in zip(NAMES, clients, strict=True)]
    with ThreadPoolExecutor(len(racers)) as threads:
        for future in [threads.submit(racer.run, changes) for racer in racers]:
            future.result()
    return racers


def assert_nothing_is_lost(clients: list[RestClient], world: World, changes: int, seed: int) -> None:
    """With the lease no run comes upon a write of the other."""
    racers = race(clients, True, changes, seed)
    live = world.settle()
    for racer in racers:
        assert racer.stands(live, racer.configs)
        assert (racer.lost, racer.changed) == ([], [])


def assert_every_loss_is_noticed(clients: list[RestClient], world: World, changes: int, seed: int) -> None:
    """Without it, what one lost after it had been told of success, the other one knows of."""
    left, right = race(clients, False, changes, seed)
    live = world.settle()
    for racer, other in ((left, right), (right, left)):
        assert racer.stands(live, racer.applied) or other.lost, seed


def test_with_the_lease_nothing_is_lost(clients: list[RestClient], ray_world: World) -> None:
    assert_nothing_is_lost(clients, ray_world, CHANGES, 0)


def test_without_it_every_loss_is_noticed(clients: list[RestClient], ray_world: World) -> None:
    assert_every_loss_is_noticed(clients, ray_world, CHANGES, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 3))
def test_with_the_lease_nothing_is_lost_however_often(clients: list[RestClient], ray_world: World, seed: int) -> None:
    assert_nothing_is_lost(clients, ray_world, 6, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 3))
def test_without_it_every_loss_is_noticed_however_often(clients: list[RestClient], ray_world: World, seed: int) -> None:
    assert_every_loss_is_noticed(clients, ray_world, 6, seed)
