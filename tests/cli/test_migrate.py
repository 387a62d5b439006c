from pathlib import Path

import pytest

from tests.cli.test_explain import OLD
from tests.support.cli import run, write_registry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path / "registry", "chat")
    (tmp_path / "registry" / "acme--old.yaml").write_text(OLD)
    return Path("registry")


def test_a_check_names_the_files_that_would_change_and_writes_nothing(registry: Path) -> None:
    ran = run("migrate", "--check")
    assert ran.code == 1
    assert ran.out == "would rewrite registry/acme--old.yaml (from RayLLM)\n1 to rewrite, 1 canonical already\n"
    assert (registry / "acme--old.yaml").read_text() == OLD


def test_files_are_rewritten_once(registry: Path) -> None:
    file = registry / "acme--old.yaml"
    file.chmod(0o640)
    before = run("render", "--offline", "--model", "acme/old").out
    ran = run("migrate")
    assert (ran.code, ran.out) == (
        0,
        "rewrote registry/acme--old.yaml (from RayLLM)\n1 rewritten, 1 canonical already\n",
    )
    assert "max_ongoing_requests: 50" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert run("render", "--offline", "--model", "acme/old").out == before
    assert run("migrate", "--check").out == "2 canonical already\n"
    assert sorted(each.name for each in registry.iterdir()) == ["acme--chat.yaml", "acme--old.yaml", "clusters"]


def test_files_may_be_named(registry: Path) -> None:
    ran = run("migrate", registry / "acme--chat.yaml")
    assert (ran.code, ran.out) == (0, "1 canonical already\n")


def test_a_file_with_an_error_is_shown_and_the_others_are_rewritten(registry: Path) -> None:
    broken = registry / "acme--broken.yaml"
    broken.write_text(OLD + "x: 1\n")
    ran = run("migrate")
    assert ran.code == 1
    assert "rewrote registry/acme--old.yaml" in ran.out
    assert "registry/acme--broken.yaml:4:1: error[unknown-key]" in ran.out
    assert ran.out.endswith("1 rewritten, 1 file with errors, 1 canonical already\n")
    assert broken.read_text() == OLD + "x: 1\n"


def test_a_registry_that_is_not_there(registry: Path) -> None:
    ran = run("migrate", "--registry", "nowhere")
    assert ran.code == 1
    assert "the registry folder does not exist" in ran.err
