"""From a cluster file to a connection, and what is said when the token or the local cluster is missing."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ClusterEntry
from reconciler.serve import connect as connect_module
from reconciler.serve.connect import connect, gateway_access
from reconciler.serve.errors import LocalError, ServeError
from reconciler.serve.local.processes import ProcessId, identify
from reconciler.serve.local.record import LocalCluster, write_private
from reconciler.state.traffic import UnknownTraffic

TOKEN = "0123456789abcdef-token"


def entry(token: dict[str, str] | None = None, **settings: Any) -> ClusterEntry:
    dashboard = {"address": "https://ray.test:8265/", "token": token}
    gateway = {"address": "https://models.test"}
    document = {"owner": "tests", "dashboard": dashboard, "gateway": gateway, **settings}
    return ClusterEntry("prod", "clusters/prod.yaml", Cluster.model_validate(document))


LOCAL = ClusterEntry("local", "clusters/local.yaml", Cluster(owner="tests", local=True))


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The tokens that clients were made with."""
    seen: list[str | None] = []
    real = connect_module.RestClient

    def client(address: str, **options: Any) -> Any:
        seen.append(options.get("token"))
        return real(address, **options)

    monkeypatch.setattr(connect_module, "RestClient", client)
    return seen


def local_cluster(directory: Path, process: ProcessId | None, **fields: Any) -> LocalCluster:
    return LocalCluster(
        directory=directory,
        dashboard_address="http://127.0.0.1:20001",
        gateway_address="http://127.0.0.1:20002",
        gcs_address="127.0.0.1:20003",
        auth=fields.pop("auth", "disabled"),
        temp_directory=directory / "temp",
        leaders=(process,) if process else (),
        ready=True,
    )


def test_a_cluster_file_names_both_addresses(tmp_path: Path, tokens: list[str | None]) -> None:
    with connect(entry(), env={}, local_directory=tmp_path) as connection:
        assert connection.address == "https://ray.test:8265"
        assert connection.gateway_address == "https://models.test"
    assert tokens == [None]


def test_the_token_comes_from_the_variable_that_is_named(tmp_path: Path, tokens: list[str | None]) -> None:
    with connect(entry({"env": "RAY_TOKEN"}), env={"RAY_TOKEN": f"{TOKEN}\n"}, local_directory=tmp_path):
        assert tokens == [TOKEN]


def test_the_token_comes_from_the_file_that_is_named(tmp_path: Path, tokens: list[str | None]) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with connect(entry({"file": f"{tmp_path}/token"}), env={}, local_directory=tmp_path):
        assert tokens == [TOKEN]


@pytest.mark.parametrize(
    ("source", "env", "said"),
    [
        ({"env": "RAY_TOKEN"}, {}, "the environment variable `RAY_TOKEN`, which is not set"),
        ({"env": "RAY_TOKEN"}, {"RAY_TOKEN": " "}, "the environment variable `RAY_TOKEN`, which is empty"),
        ({"file": "/nowhere/token"}, {}, r"the file `/nowhere/token`, which cannot be read \(no such file"),
    ],
)
def test_a_token_that_is_not_there_is_told(
    tmp_path: Path, source: dict[str, str], env: dict[str, str], said: str
) -> None:
    with pytest.raises(ServeError, match=f"cluster `prod` takes its token from {said}") as raised:
        connect(entry(source), env=env, local_directory=tmp_path)
    assert "clusters/prod.yaml" in (raised.value.hint or "")


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"\xff\xfe", "is not text")])
def test_a_token_file_without_a_token_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ServeError, match=said):
        connect(entry({"file": f"{tmp_path}/token"}), env={}, local_directory=tmp_path)


KEYS = {"keys": [{"name": "all", "sha256": "0" * 64}], "token": {"env": "KEY"}}


def test_the_key_to_the_gateway_is_looked_for_when_it_is_needed(tmp_path: Path) -> None:
    locked = entry(gateway={"address": "https://models.test", **KEYS})
    with connect(locked, env={"KEY": "sk-1\n"}, local_directory=tmp_path) as connection:
        assert connection.gateway_token() == "sk-1"
    with connect(locked, env={}, local_directory=tmp_path) as connection:
        said = "cluster `prod` takes its key to the gateway from the environment variable `KEY`, which is not set"
        with pytest.raises(ServeError, match=said) as raised:
            connection.gateway_token()
        assert raised.value.hint == "`clusters/prod.yaml` says so under `gateway.token`"
        assert connection.traffic() == UnknownTraffic(said)
    with connect(entry(), env={}, local_directory=tmp_path) as connection:
        assert connection.gateway_token() is None


def test_a_local_cluster_may_have_keys_too(tmp_path: Path) -> None:
    local_cluster(tmp_path, identify(os.getpid())).save()
    cluster = Cluster.model_validate({"owner": "tests", "local": True, "gateway": KEYS})
    found = ClusterEntry("local", "clusters/local.yaml", cluster)
    with connect(found, env={"KEY": "sk-1"}, local_directory=tmp_path) as connection:
        assert connection.gateway_token() == "sk-1"


def test_without_a_local_cluster_the_command_that_starts_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="there is none in") as raised:
        connect(LOCAL, env={}, local_directory=tmp_path / "missing")
    assert raised.value.hint == "start it with `reconcile local up`"


def test_a_local_cluster_that_died_is_told(tmp_path: Path) -> None:
    local_cluster(tmp_path, ProcessId(2**22 + 1, "never")).save()
    with pytest.raises(LocalError, match="is no longer running"):
        connect(LOCAL, env={}, local_directory=tmp_path)


def test_a_local_cluster_is_found_with_its_token(tmp_path: Path, tokens: list[str | None]) -> None:
    alive = local_cluster(tmp_path, identify(os.getpid()), auth="token")
    write_private(alive.token_file, TOKEN)
    alive.save()
    with connect(LOCAL, env={}, local_directory=tmp_path) as connection:
        assert connection.address == "http://127.0.0.1:20001"
        assert connection.gateway_address == "http://127.0.0.1:20002"
    assert tokens == [TOKEN]


def test_the_gateway_is_found_without_the_token_of_the_dashboard(tmp_path: Path) -> None:
    prod = entry({"env": "NOT_SET"})
    assert gateway_access(prod, env={}, local_directory=tmp_path) == ("https://models.test", None)
    with pytest.raises(LocalError, match="there is none"):
        gateway_access(LOCAL, env={}, local_directory=tmp_path)
