"""Starting and stopping the local cluster: what a stand-in for `ray` shows quickly, then a real one."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from reconciler.serve.errors import LocalError, Unauthorized
from reconciler.serve.local import cluster as cluster_module
from reconciler.serve.local import node
from reconciler.serve.local import start as start_module
from reconciler.serve.local.cluster import add_node, down, load, up
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.processes import is_running
from reconciler.serve.local.record import read
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState
from tests.conftest import AUTH
from tests.support.light import light_config, light_package
from tests.support.world import World

OTHER_AUTH = "token" if AUTH == "disabled" else "disabled"


def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Put a shell script in the place of `ray`."""
    ray = tmp_path / "ray"
    ray.write_text(f"#!/bin/sh\n{script}\n")
    ray.chmod(0o755)
    monkeypatch.setattr(node, "_ray", lambda: str(ray))


def test_down_without_a_cluster_says_so(tmp_path: Path) -> None:
    assert not down(tmp_path / "missing")
    assert not down(tmp_path)
    assert load(tmp_path) is None


def test_an_unknown_authentication_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="`kerberos` is no authentication mode"):
        up(tmp_path, auth="kerberos")


def test_a_ray_that_ends_is_started_again_and_then_told_with_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(monkeypatch, tmp_path, f'echo "$@" >> {tmp_path}/calls; echo "port 20001 is taken"; exit 7')
    state = tmp_path / "state"
    told: list[str] = []
    with pytest.raises(LocalError) as raised:
        up(state, progress=told.append)
    assert "Ray ended with exit code 7" in raised.value.message
    assert "port 20001 is taken" in raised.value.message
    assert str(state / "ray.log") in (raised.value.hint or "")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len(set(calls)) == 3
    assert told.count("Ray did not start; trying other ports") == 2
    assert read(state) is None


def test_a_ray_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, "exec sleep 300")
    monkeypatch.setattr(start_module, "_LIMIT_S", 0.5)
    monkeypatch.setattr(cluster_module, "_ATTEMPTS", 1)
    with pytest.raises(LocalError, match="the dashboard did not answer"):
        up(tmp_path / "state")
    assert read(tmp_path / "state") is None


def test_an_interrupt_while_starting_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    stand_in(monkeypatch, tmp_path, "exec sleep 300")
    leaders = []

    def interrupt() -> None:
        while not (found := read(state)) or not found.leaders:
            time.sleep(0.05)
        leaders.extend(found.leaders)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        up(state)
    thread.join()
    assert read(state) is None
    assert not is_running(leaders[0])


def test_a_start_that_was_killed_is_cleared_by_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, "exec sleep 300")
    monkeypatch.setattr(start_module, "_LIMIT_S", 0.5)
    monkeypatch.setattr(cluster_module, "_ATTEMPTS", 1)
    with monkeypatch.context() as killed:
        killed.setattr(cluster_module, "_clear", lambda directory: False)
        with pytest.raises(LocalError):
            up(tmp_path)
    left = read(tmp_path)
    assert left is not None and left.is_alive
    assert load(tmp_path) is None
    assert down(tmp_path)
    assert not is_running(left.leaders[0])
    assert not left.temp_directory.exists()


def test_a_node_needs_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="there is no local cluster"):
        add_node(tmp_path, NodeResources())


@pytest.mark.ray
def test_the_other_authentication_mode_and_data_plane_from_start_to_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With an empty home but for a token file, which would switch authentication on."""
    (tmp_path / "home" / ".ray").mkdir(parents=True)
    (tmp_path / "home" / ".ray" / "auth_token").write_text("left over from another cluster" * 2)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    directory = tmp_path / "state"
    try:
        started = up(directory, auth=OTHER_AUTH, num_cpus=3, data_plane="haproxy")
        assert up(directory, auth=AUTH) == started == load(directory)
        assert started.is_alive
        assert (started.models_directory / "tiny-chat" / "config.json").is_file()
        if OTHER_AUTH == "token":
            with RestClient(started.dashboard_address) as nobody, pytest.raises(Unauthorized, match="wants a token"):
                nobody.live_state()
        with RestClient(started.dashboard_address, token=started.token) as client:
            _drive(client, directory)
    finally:
        stopped = down(directory)
    assert stopped
    assert load(directory) is None
    assert not any(is_running(process) for process in started.processes)
    assert not started.temp_directory.exists()
    assert not down(directory)


def _drive(client: RestClient, directory: Path) -> None:
    state = client.live_state()
    assert isinstance(state, LiveState)
    assert state.applications == ()
    assert state.nodes[0].total["CPU"] == 3.0

    add_node(directory, NodeResources(2, 1, {"accelerator_type:L4": 1}))
    state = client.live_state()
    assert isinstance(state, LiveState)
    assert sorted(node.total.get("GPU", 0.0) for node in state.nodes) == [0.0, 1.0]

    package = light_package()
    client.upload_package(package.name, package.content)
    world = World(client, client)
    options = {"ray_actor_options": {"num_gpus": 1}}
    state = world.apply([light_config("light", route_prefix="/light", env={"FLAG": "on"}, options=options)])
    assert len(state.applications[0].replica_ids) == 1
    started = load(directory)
    assert started is not None
    assert httpx.get(f"{started.gateway_address}/light", trust_env=False).status_code == 200
