"""A model without replicas whose code Ray has dropped starts on a node that has never run it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from reconciler.serve.local import node
from reconciler.serve.local.cluster import add_node
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.record import LocalCluster
from reconciler.serve.packages import runtime_package
from reconciler.serve.rest import RestClient
from tests.support.scripted import engine, engine_package, gateway, wait_until
from tests.support.world import World

pytestmark = pytest.mark.ray

DROP = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False)
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_exists
_internal_kv_del(sys.argv[2].encode())
assert not _internal_kv_exists(sys.argv[2].encode())
"""

ASLEEP = {"min_replicas": 0, "initial_replicas": 0, "downscale_to_zero_delay_s": 600}


@pytest.fixture
def world(cluster_of_four: LocalCluster) -> Iterator[World]:
    with RestClient(cluster_of_four.dashboard_address, token=cluster_of_four.token) as client:
        for package in (runtime_package("gateway"), engine_package()):
            client.upload_package(package.name, package.content)
        yield World(client, client)
        World(client, client).apply([])


def test_the_gateway_brings_its_code_back(cluster_of_four: LocalCluster, world: World) -> None:
    package = engine_package()
    late = {"num_cpus": 0, "resources": {"late": 1}}
    sleeper = engine("sleeper", autoscaling_config=ASLEEP, ray_actor_options=late)
    state = world.apply([sleeper, gateway({"sleeper": {"package": package.uri}})])
    assert {one.name: (one.status, len(one.replica_ids)) for one in state.applications} == {
        "sleeper": ("RUNNING", 0),
        "gateway": ("RUNNING", 1),
    }
    session = cluster_of_four.temp_directory / "session_latest"
    logs = session / "logs" / "serve"
    wait_until(lambda: any(package.uri in log.read_text() for log in logs.glob("replica_gateway*.log")))

    drop(cluster_of_four, package.uri)
    # The nodes of this machine share one folder for code.
    for copy in (session / "runtime_resources" / "py_modules_files").glob(f"{package.name.removesuffix('.zip')}*"):
        shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
    add_node(cluster_of_four.directory, NodeResources(1, 0, {"late": 1}))

    response = httpx.post(f"{cluster_of_four.gateway_address}/v1/completions", json={"model": "sleeper"}, timeout=200)
    assert response.status_code == 200, response.text
    live = world.state().application("sleeper")
    assert live is not None
    assert live.replica_ids == (response.text,)


def drop(cluster: LocalCluster, uri: str) -> None:
    """What Ray does with a package that nobody runs."""
    env = node.environment(cluster.auth, cluster.token_file, cluster.models_directory)
    subprocess.run([sys.executable, "-c", DROP, cluster.gcs_address, uri], env=env, check=True, capture_output=True)
