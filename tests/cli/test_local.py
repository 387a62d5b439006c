from pathlib import Path

import pytest

from reconciler.cli import local_down, local_status, local_up
from reconciler.serve.local.record import LocalCluster
from tests.support.cli import run

DIRECTORY = Path("/nowhere/local")


def cluster(directory: Path, auth: str = "disabled") -> LocalCluster:
    return LocalCluster(
        directory, "http://127.0.0.1:1", "http://127.0.0.1:2", "127.0.0.1:3", auth, directory / "ray", ()
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, int, str]]:
    """What `up` was asked for; it answers with a cluster that has authentication switched off."""
    calls: list[tuple[Path, str, int, str]] = []

    def up(directory: Path, *, auth: str, num_cpus: int, data_plane: str, progress: object) -> LocalCluster:
        calls.append((directory, auth, num_cpus, data_plane))
        assert callable(progress)
        progress("starting Ray")
        return cluster(directory)

    monkeypatch.setattr(local_up, "up", up)
    return calls


def test_up_says_where_and_keeps_progress_off_stdout(asked: list[tuple[Path, str, int, str]]) -> None:
    ran = run("local", "up")
    assert (ran.code, ran.err) == (0, "starting Ray\n")
    assert ran.out == "dashboard http://127.0.0.1:1\ngateway   http://127.0.0.1:2/v1\n"
    assert asked == [(Path(".reconciler/local"), "disabled", 8, "proxy")]


def test_up_takes_options_before_variables(
    asked: list[tuple[Path, str, int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    variables = {"RECONCILER_LOCAL_DIR": str(tmp_path / "a")}
    run("local", "up", variables=variables)
    given = ("--auth", "disabled", "--cpus", "3", "--data-plane", "haproxy", "--directory", tmp_path / "b")
    run("local", "up", *given, variables=variables)
    assert asked == [(tmp_path / "a", "token", 8, "proxy"), (tmp_path / "b", "disabled", 3, "haproxy")]


def test_up_says_when_one_runs_already(
    asked: list[tuple[Path, str, int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(local_up, "load", lambda directory: cluster(tmp_path))
    assert "already" not in run("local", "up").err
    monkeypatch.setattr(LocalCluster, "is_alive", property(lambda self: True))
    said = "it runs already, with authentication mode `disabled` and data plane `proxy`"
    assert said in run("local", "up", "--auth", "token").err


@pytest.mark.parametrize(
    ("there", "said"),
    [(True, "the local cluster is stopped"), (False, "there is no local cluster in `.reconciler/local`")],
)
def test_down_says_what_it_did(monkeypatch: pytest.MonkeyPatch, there: bool, said: str) -> None:
    monkeypatch.setattr(local_down, "down", lambda directory: there)
    ran = run("local", "down")
    assert (ran.code, ran.err) == (0, said + "\n")


def test_status_of_a_running_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = cluster(tmp_path)
    monkeypatch.setattr(local_status, "load", lambda directory: found)
    monkeypatch.setattr(LocalCluster, "is_alive", property(lambda self: True))
    ran = run("local", "status", "--directory", tmp_path)
    assert ran.code == 0
    assert f"local cluster in {tmp_path}: running, authentication disabled" in ran.out


def test_status_without_a_cluster(tmp_path: Path) -> None:
    ran = run("local", "status", "--directory", tmp_path)
    assert (ran.code, ran.out) == (1, f"local cluster in {tmp_path}: none\n")


def test_status_of_one_that_died(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_status, "load", lambda directory: cluster(tmp_path))
    ran = run("local", "status", "--directory", tmp_path)
    assert (ran.code, ran.out) == (1, f"local cluster in {tmp_path}: not running any more\n")
