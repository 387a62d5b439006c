"""The command line and environment of a local Ray node."""

import socket
import sys
from pathlib import Path

import pytest

from reconciler.serve.errors import LocalError
from reconciler.serve.local import node
from reconciler.serve.local.node import NodeResources


def test_ports_are_free_and_distinct() -> None:
    ports = node.free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(node, "_PORTS", [port])
        with pytest.raises(LocalError, match="no free port"):
            node.free_ports(1)


def test_ray_s_settings_of_the_caller_do_not_reach_the_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray.example.com:6379")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "somebody's")
    monkeypatch.setenv("SOMETHING", "else")
    env = node.environment("disabled", tmp_path / "token", tmp_path / "models")
    assert env["RAY_AUTH_MODE"] == "disabled"
    assert env["RECONCILER_LOCAL_MODELS"] == str(tmp_path / "models")
    assert env["SOMETHING"] == "else"
    assert not {"RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(env)
    assert env["RAY_worker_niceness"] == "0"


def test_with_a_token_ray_is_told_its_file(tmp_path: Path) -> None:
    env = node.environment("token", tmp_path / "token", tmp_path)
    assert (env["RAY_AUTH_MODE"], env["RAY_AUTH_TOKEN_PATH"]) == ("token", str(tmp_path / "token"))


def test_the_temporary_folder_is_short_enough_for_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    monkeypatch.setattr(node.tempfile, "gettempdir", lambda: str(deep))
    found = node.temp_directory()
    assert len(str(found)) <= 40
    found.rmdir()


def test_resources_are_passed_on() -> None:
    arguments = NodeResources(4, 2, {"accelerator_type:L4": 1}).arguments()
    assert arguments == ["--num-cpus=4", "--num-gpus=2", '--resources={"accelerator_type:L4": 1}']


def test_the_dashboard_listens_only_here() -> None:
    arguments = node.head_arguments(20001, 20002, NodeResources())
    assert "--dashboard-host=127.0.0.1" in arguments
    assert {"--head", "--port=20001", "--dashboard-port=20002"} <= set(arguments)


def test_without_ray_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="needs Ray") as raised:
        node.start([], {}, tmp_path, tmp_path / "log")
    assert "pip install" in (raised.value.hint or "")
