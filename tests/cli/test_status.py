import json
import re
from pathlib import Path

import pytest

from tests.support.cli import run, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServe:
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path / "registry", "chat", "other")
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    serve.intrude({"applications": [{"name": "neighbour", "route_prefix": "/n", "import_path": "n:build"}]})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    return serve


def test_everything_that_runs(serve: FakeServe) -> None:
    ran = run("status", serve=serve)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("cli/status/all.txt", re.sub("last applied .* from", "last applied TIME by WHO from", ran.out))


def test_one_model(serve: FakeServe) -> None:
    ran = run("status", "acme/chat", serve=serve)
    assert "acme--chat  RUNNING" in ran.out
    assert "acme--other" not in ran.out


def test_a_model_that_is_not_there(serve: FakeServe) -> None:
    ran = run("status", "acme/chta", serve=serve)
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean `acme--chat`?" in ran.err


def test_json(serve: FakeServe) -> None:
    document = json.loads(run("status", "--format", "json", serve=serve).out)
    assert [(entry["name"], entry["ours"]) for entry in document["applications"]] == [
        ("acme--chat", True),
        ("acme--other", True),
        ("gateway", True),
        ("neighbour", False),
    ]
    assert document["last_apply"]["version"] == "0.1.0"
