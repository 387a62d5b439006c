"""One tiny GGUF file for the tests of this folder, and servers that run it."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.tiny_gguf import build

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from ray import serve


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return build(tmp_path_factory.mktemp("gguf") / "tiny.gguf", seed=1)


@pytest.fixture(autouse=True)
def replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a replica of Ray Serve knows of itself."""
    context = SimpleNamespace(replica_id=SimpleNamespace(unique_id="r"))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)
