"""What the commands work on: a registry in a folder of its own, and a cluster that somebody else uses too."""

from pathlib import Path

import pytest

from tests.support.cli import NEIGHBOUR, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.repository import commit, git
from tests.support.rollbacks import THIRD, apply, change


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


@pytest.fixture
def repository(registry: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The registry with two models in a git repository; the first commit."""
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
    git(".", "init", "-q")
    return commit(".", "Two models")


@pytest.fixture
def two(repository: str, serve: FakeServe) -> tuple[str, str]:
    """Two commits, both applied: the second restarts one model and brings a third."""
    apply(serve)
    change(8)
    change(4, THIRD)
    second = commit(".", "Raise the batch size; add a model")
    apply(serve)
    return repository, second
