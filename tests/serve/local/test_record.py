"""What is remembered of a local cluster: complete, private, and never half-written."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.serve.local.processes import ProcessId, identify
from reconciler.serve.local.record import LocalCluster, read, write_private


def cluster(directory: Path, auth: str = "disabled") -> LocalCluster:
    me = identify(os.getpid())
    assert me is not None
    return LocalCluster(
        directory=directory,
        dashboard_address="http://127.0.0.1:20001",
        gateway_address="http://127.0.0.1:20002",
        gcs_address="127.0.0.1:20003",
        auth=auth,
        temp_directory=directory / "temp",
        leaders=(me,),
    )


def test_a_saved_cluster_is_read_back(tmp_path: Path) -> None:
    saved = replace(cluster(tmp_path).complete((ProcessId(1, "a"), ProcessId(2, "b"))), data_plane="haproxy")
    saved.save()
    assert read(tmp_path) == saved
    assert saved.ready


def test_it_is_alive_while_its_first_leader_runs(tmp_path: Path) -> None:
    found = cluster(tmp_path)
    assert found.is_alive
    assert not found.with_leaders(()).is_alive
    assert not found.with_leaders((ProcessId(os.getpid(), "another time"),)).is_alive


def test_the_token_is_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    found = cluster(tmp_path, auth="token")
    write_private(found.token_file, "secret")
    found.save()
    assert found.token == "secret"
    assert cluster(tmp_path).token is None
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file == found.token_file or "secret" not in file.read_text()


def test_a_forgotten_cluster_is_gone_with_its_token(tmp_path: Path) -> None:
    found = cluster(tmp_path, auth="token")
    write_private(found.token_file, "secret")
    found.save()
    found.forget()
    assert read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1}', '{"version": 1, "leaders": 3}']
)
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "cluster.json").write_text(text)
    assert read(tmp_path) is None


def test_no_folder_is_no_record(tmp_path: Path) -> None:
    assert read(tmp_path / "missing") is None
