"""Fixtures for the gateway on real Ray, with engines that do as they are told."""

from collections.abc import Iterator

import httpx
import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.packages import runtime_package
from reconciler.serve.rest import RestClient
from tests.support.scripted import Stage, engine_package
from tests.support.world import World


@pytest.fixture(scope="module")
def stage(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The run's cluster with nothing on it, before and after."""
    for package in (runtime_package("gateway"), engine_package()):
        client.upload_package(package.name, package.content)
    world = World(client, client)
    world.apply([])
    with httpx.Client(base_url=ray_cluster.gateway_address, timeout=120) as http:
        yield Stage(world, http, tmp_path_factory.mktemp("stage"))
    world.apply([])


@pytest.fixture(autouse=True)
def fresh_log(request: pytest.FixtureRequest) -> None:
    """Nothing of an earlier test in the log."""
    if "stage" in request.fixturenames:
        request.getfixturevalue("stage").log.unlink(missing_ok=True)
