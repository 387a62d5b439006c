import json
from pathlib import Path

import pytest

from tests.support.cli import run, write_registry

OLD = """\
deployment_config: {max_concurrent_queries: 50}
engine_config: {model_id: acme/old}
scaling_config: {num_workers: 1}
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "any-name.yml"
    file.write_text(OLD)
    return file


def test_a_file_is_explained_wherever_it_lies(old: Path) -> None:
    ran = run("explain", old)
    assert ran.code == 0
    assert f"{old}: RayLLM\n" in ran.out
    assert "deployment_config.max_ongoing_requests" in ran.out
    assert "3 keys: 3 mapped\n" in ran.out


def test_programs_get_the_same(old: Path) -> None:
    ran = run("explain", old, "--format", "json")
    document = json.loads(ran.out)
    assert document["dialect"] == "RayLLM"
    assert [key["fate"] for key in document["keys"]] == ["mapped", "mapped", "mapped"]
    assert [each["rule"] for each in document["diagnostics"]] == ["implied-autoscaling"]


def test_a_refused_key_fails_and_shows_its_line(old: Path) -> None:
    old.write_text(OLD.replace("num_workers", "num_worker"))
    ran = run("explain", old)
    assert ran.code == 1
    assert f"{old}:3:18: error[unknown-key]" in ran.out
    assert "= hint: did you mean `num_workers`?" in ran.out


def test_a_canonical_file_stays_as_it_is(tmp_path: Path) -> None:
    ran = run("explain", write_registry(tmp_path, "chat") / "acme--chat.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert "stays" in ran.out


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ran = run("explain", tmp_path / "none.yaml")
    assert ran.code == 1
    assert "No such file" in ran.err
