"""Vectors and scores of tiny models on real vLLM: each way of pooling, and a model that scores two texts at once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.deployed import VECTORS, deployed
from tests.support.tiny_models import TEXTS
from tests.support.vectors import TOLERANCE, difference

pytestmark = [pytest.mark.vllm, pytest.mark.soak]


def pooling(name: str, folder: Path, **pooler: Any) -> str:
    """A model's file."""
    spec = yaml.safe_load(VECTORS)
    engine = spec["engine_config"]
    engine.update(model_id=f"local/{name}", hf_model_id=str(folder), max_total_tokens=128)
    # They have no KV cache to give a size to; without any, vLLM wants most of the machine to be free.
    del engine["engine_kwargs"]["kv_cache_memory_bytes"]
    engine["engine_kwargs"]["gpu_memory_utilization"] = 0.1
    if pooler:
        engine["engine_kwargs"]["pooler_config"] = pooler
    return yaml.safe_dump(spec)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny models."""
    root = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, "-m", "tests.support.tiny_models", str(root)], check=True)
    return root


@pytest.fixture(scope="module")
def expected(models: Path) -> dict[str, Any]:
    """What transformers answers."""
    found: dict[str, Any] = json.loads((models / "expected.json").read_text())
    return found


@pytest.fixture(scope="module")
def http(
    ray_cluster: LocalCluster, client: RestClient, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the gateway before the models."""
    files = {
        "local--cls.yaml": pooling("cls", models / "tiny-bert", pooling_type="CLS"),
        "local--long.yaml": pooling("long", models / "tiny-bert", pooling_type="MEAN", use_activation=False),
        "local--reranker.yaml": pooling("reranker", models / "tiny-reranker"),
    }
    with (
        deployed(ray_cluster, client, tmp_path_factory.mktemp("pooling") / "registry", files) as found,
        httpx.Client(base_url=found.address, timeout=120) as session,
    ):
        yield session


def vectors(http: httpx.Client, name: str) -> list[list[float]]:
    """The vectors of all texts."""
    response = http.post("/v1/embeddings", json={"model": name, "input": list(TEXTS)})
    assert response.status_code == 200, response.text
    return [entry["embedding"] for entry in response.json()["data"]]


def test_the_first_token_is_the_vector_where_the_file_says_so(http: httpx.Client, expected: dict[str, Any]) -> None:
    assert difference(vectors(http, "local/cls"), expected["bert"]["CLS"]) < TOLERANCE


def test_vectors_keep_their_length_where_the_file_says_so(http: httpx.Client, expected: dict[str, Any]) -> None:
    found = vectors(http, "local/long")
    lengths = [sum(number * number for number in vector) ** 0.5 for vector in found]
    assert min(abs(length - 1) for length in lengths) > 0.1
    scaled = [[number / length for number in vector] for vector, length in zip(found, lengths, strict=True)]
    assert difference(scaled, expected["bert"]["MEAN"]) < TOLERANCE


def test_two_texts_are_scored_at_once(http: httpx.Client, expected: dict[str, Any]) -> None:
    body = {"model": "local/reranker", "text_1": TEXTS[0], "text_2": list(TEXTS[1:])}
    response = http.post("/v1/score", json=body)
    assert response.status_code == 200, response.text
    scores = [entry["score"] for entry in response.json()["data"]]
    assert difference([scores], [expected["reranker"]]) < TOLERANCE

    response = http.post(
        "/v1/rerank", json={"model": "local/reranker", "query": TEXTS[0], "documents": list(TEXTS[1:])}
    )
    assert response.status_code == 200, response.text
    ranked = response.json()["results"]
    assert [each["index"] for each in ranked] == sorted(range(3), key=lambda n: -expected["reranker"][n])
