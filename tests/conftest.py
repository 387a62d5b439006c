"""Fixtures for all tests: one real Ray cluster for the whole run, started when the first test asks for it."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from reconciler.serve.local.cluster import LocalCluster, down, up
from reconciler.serve.rest import RestClient
from tests.support.light import light_package
from tests.support.world import World

# How long an example takes says more about the machine than about the product.
# A merge must not fail for an example that only chance finds; `make soak` looks for those.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("steady"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("RECONCILER_EXAMPLES", "steady"))

SOAK = os.environ.get("RECONCILER_EXAMPLES") == "soak"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long enumerations unless they are asked for: `make test` runs a sample of each."""
    if not SOAK:
        left_out = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


AUTH = os.environ.get("RECONCILER_TEST_AUTH", "disabled")
"""`disabled` or `token`: how the run's cluster authenticates; the other mode has a short test of its own."""


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A local cluster with 16 logical CPUs and the mark of an accelerator, shared by all tests of the run."""
    directory = tmp_path_factory.mktemp("ray")
    try:
        yield up(directory, auth=AUTH, num_cpus=16, resources={"accelerator_type:T4": 1})
    finally:
        down(directory)


@pytest.fixture(scope="session")
def client(ray_cluster: LocalCluster) -> Iterator[RestClient]:
    """A client of the run's cluster."""
    with RestClient(ray_cluster.dashboard_address, token=ray_cluster.token) as found:
        yield found


@pytest.fixture(scope="module")
def ray_world(client: RestClient) -> Iterator[World]:
    """The run's cluster with the light application's code and nothing deployed, before and after."""
    package = light_package()
    client.upload_package(package.name, package.content)
    world = World(client, client)
    world.apply([])
    yield world
    world.apply([])
