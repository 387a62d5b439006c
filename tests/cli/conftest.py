"""What the commands work on: a registry in a folder of its own, and a cluster that somebody else uses too."""

from pathlib import Path

import pytest

from tests.support.cli import NEIGHBOUR, write_registry
from tests.support.fake_serve import FakeServe


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path / "registry", "chat", "other")
    return Path("registry")


@pytest.fixture
def serve() -> FakeServe:
    """A cluster with the neighbour's application."""
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    serve.intrude({"applications": [NEIGHBOUR]})
    serve.settle()
    return serve
