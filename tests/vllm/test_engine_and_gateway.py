"""One real vLLM engine behind the real gateway, deployed by the documents that the registry compiles to."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from reconciler.registry.loader import load
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.packages import resolve_packages
from reconciler.serve.rest import RestClient
from reconciler.state.desired import DesiredState, desired_state
from tests.support.world import World

pytestmark = pytest.mark.vllm

MODEL = """
clusters: [local]
deployment_config:
  ray_actor_options: {num_cpus: 0.5}
  graceful_shutdown_timeout_s: 5
engine_config:
  model_id: local/tiny-chat
  hf_model_id: ${env:RECONCILER_LOCAL_MODELS}/tiny-chat
  model_description: Says nothing
  aliases: [tiny]
  max_total_tokens: 1024
  engine_kwargs:
    dtype: float32
    enforce_eager: true
    kv_cache_memory_bytes: 67108864
  runtime_env:
    env_vars: {HF_HUB_OFFLINE: "1", TORCHDYNAMO_DISABLE: "1", VLLM_ENABLE_V1_MULTIPROCESSING: "0"}
  generation:
    generate_kwargs: {temperature: 0, max_tokens: 12}
scaling_config: {num_workers: 1, num_gpus_per_worker: 0, num_cpus_per_worker: 0.25}
"""
ABSENT = MODEL.replace("local/tiny-chat\n", "local/absent\n").replace("aliases: [tiny]", "aliases: []")
"""In the routing table, but never deployed."""
CLUSTER = "owner: tests\ndefault: true\nlocal: true\ngateway: {num_cpus: 0.2}\n"

START_LIMIT_S = 600.0
MESSAGES = [{"role": "user", "content": "Hello"}]


@dataclass
class Served:
    """The deployed model and gateway."""

    desired: DesiredState
    world: World
    http: httpx.Client
    dashboard: httpx.Client

    def chat(self, **fields: Any) -> httpx.Response:
        """A chat request; `messages` are there already."""
        return self.http.post("/v1/chat/completions", json={"messages": MESSAGES, **fields})

    def text(self, **fields: Any) -> str:
        """The answer to a chat request."""
        response = self.chat(model="local/tiny-chat", **fields)
        assert response.status_code == 200, response.text
        return str(response.json()["choices"][0]["message"]["content"])

    def configs(self, **route: Any) -> list[dict[str, Any]]:
        """The document's applications without the absent model; keyword arguments change the model's route."""
        applications = [entry.application.config for entry in self.desired.applications]
        copies: list[dict[str, Any]] = json.loads(json.dumps([dict(config) for config in applications]))
        deployed = [config for config in copies if config["name"] != "local--absent"]
        gateway = next(config for config in deployed if config["name"] == "gateway")
        gateway["deployments"][0]["user_config"]["models"]["local/tiny-chat"] |= route
        return deployed

    def replica_ids(self) -> dict[str, list[str]]:
        """Replica ids by application."""
        return {
            application.name: [replica.replica_id for part in application.deployments for replica in part.replicas]
            for application in self.world.state().applications
        }


@pytest.fixture(scope="module")
def served(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The tiny model and the gateway, running."""
    root = tmp_path_factory.mktemp("registry")
    (root / "clusters").mkdir()
    (root / "clusters" / "local.yaml").write_text(CLUSTER)
    (root / "local--tiny-chat.yaml").write_text(MODEL)
    (root / "local--absent.yaml").write_text(ABSENT)
    found = load(root)
    assert found.registry is not None, found.diagnostics
    cluster = found.registry.clusters[0]
    packages, uploads = resolve_packages(cluster.cluster)
    for package in uploads:
        client.upload_package(package.name, package.content)
    headers = {"Authorization": f"Bearer {ray_cluster.token}"} if ray_cluster.token else {}
    with (
        httpx.Client(base_url=ray_cluster.gateway_address, timeout=120) as http,
        httpx.Client(base_url=ray_cluster.dashboard_address, headers=headers, timeout=60) as dashboard,
    ):
        world = World(client, client)
        result = Served(desired_state(found.registry, cluster, packages), world, http, dashboard)
        world.put(result.configs())
        state = world.settle(START_LIMIT_S)
        assert {application.name: application.status for application in state.applications} == {
            "gateway": "RUNNING",
            "local--tiny-chat": "RUNNING",
        }, state.applications
        yield result
        world.apply([])


def test_a_chat_is_answered_with_the_defaults_of_the_model(served: Served) -> None:
    body = served.chat(model="local/tiny-chat").json()
    assert body["model"] == "local/tiny-chat"
    assert body["usage"]["completion_tokens"] == 12
    text = body["choices"][0]["message"]["content"]
    assert len(text) == 12
    assert served.text() == text


def test_what_a_request_says_wins_over_the_defaults(served: Served) -> None:
    assert len(served.text(max_tokens=5)) == 5
    assert len(served.text(max_completion_tokens=7)) == 7
    assert len({served.text(max_tokens=60, temperature=1.5) for _ in range(3)}) > 1


def test_streaming_gives_the_same_text_piece_by_piece(served: Served) -> None:
    request = {"model": "local/tiny-chat", "messages": MESSAGES, "max_tokens": 200, "stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=request) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        reads = [read.decode() for read in response.iter_raw()]
    assert "[DONE]" not in reads[0]
    events = [line.removeprefix("data: ") for line in "".join(reads).splitlines() if line]
    assert events.pop() == "[DONE]"
    deltas = [json.loads(event)["choices"][0]["delta"].get("content") for event in events]
    pieces = [delta for delta in deltas if delta]
    # One token is one letter, and vLLM joins those that come faster than they are fetched.
    assert len(pieces) > 20
    assert "".join(pieces) == served.text(max_tokens=200)


def test_a_completion_gets_the_defaults_too(served: Served) -> None:
    request = {"model": "local/tiny-chat", "prompt": "Once upon a time"}
    body = served.http.post("/v1/completions", json=request).json()
    assert body["usage"]["completion_tokens"] == 12
    body = served.http.post("/v1/completions", json={**request, "max_tokens": 3}).json()
    assert body["usage"]["completion_tokens"] == 3


def test_an_alias_reaches_the_model(served: Served) -> None:
    body = served.chat(model="tiny").json()
    assert body["model"] == "local/tiny-chat"
    assert body["choices"][0]["message"]["content"] == served.text()


def test_models_are_listed_with_what_their_files_say(served: Served) -> None:
    listed = served.http.get("/v1/models").json()["data"]
    assert {model["id"]: model["metadata"]["description"] for model in listed} == {
        "local/tiny-chat": "Says nothing",
        "local/absent": "Says nothing",
    }
    assert served.http.get("/v1/models/local/tiny-chat").json() in listed


def test_the_openai_client_works(served: Served) -> None:
    with openai.OpenAI(base_url=f"{served.http.base_url}/v1", api_key="none", max_retries=0) as client:
        assert sorted(model.id for model in client.models.list()) == ["local/absent", "local/tiny-chat"]
        answer = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "Hello"}])
        assert answer.choices[0].message.content == served.text()
        stream = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == served.text()
        with pytest.raises(openai.NotFoundError, match="There is no model `unknown`"):
            client.chat.completions.create(model="unknown", messages=[])
        with pytest.raises(openai.InternalServerError, match="its application is not deployed") as raised:
            client.chat.completions.create(model="local/absent", messages=[{"role": "user", "content": "Hello"}])
        assert raised.value.status_code == 503


def test_text_becomes_tokens_and_back(served: Served) -> None:
    tokens = served.http.post("/tokenize", json={"model": "tiny", "prompt": "abc"}).json()["tokens"]
    assert tokens == [97, 98, 99]
    assert served.http.post("/detokenize", json={"model": "tiny", "tokens": tokens}).json() == {"prompt": "abc"}


@pytest.mark.parametrize(
    ("path", "fields", "status", "message"),
    [
        ("/v1/chat/completions", {"model": "unknown"}, 404, "There is no model `unknown`. Served: `local/absent`, "),
        ("/v1/chat/completions", {}, 400, "Say which `model` is meant"),
        ("/v1/chat/completions", {"model": "tiny", "temperature": "hot"}, 400, "`temperature`: "),
        ("/v1/chat/completions", {"model": "tiny", "max_tokens": 10**6}, 400, "max_tokens=1000000 cannot be greater"),
        ("/v1/chat/completions", {"model": "local/absent"}, 503, "its application is not deployed"),
        ("/v1/embeddings", {"model": "tiny", "input": "x"}, 400, "does not support the 'embed' task"),
    ],
)
def test_errors_have_the_shape_of_openai(
    served: Served, path: str, fields: dict[str, Any], status: int, message: str
) -> None:
    response = served.http.post(path, json={"messages": MESSAGES, **fields})
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert message in error["message"]
    assert (response.headers.get("Retry-After") is not None) == (status == 503)


def test_the_replica_holds_exactly_the_bundles_that_were_planned(served: Served) -> None:
    planned = served.desired.application("local--tiny-chat")
    assert planned is not None
    answer = served.dashboard.get("/api/v0/placement_groups", params={"detail": "1"}).json()
    groups = [group for group in answer["data"]["result"]["result"] if group["state"] == "CREATED"]
    held = [[bundle["unit_resources"] for bundle in group["bundles"]] for group in groups]
    assert held == [[dict(bundle) for bundle in planned.bundles.bundles]]


def test_a_new_table_is_taken_by_the_same_replicas(served: Served) -> None:
    before, text = served.replica_ids(), served.text()
    try:
        served.world.put(served.configs(stop=[text[4]], defaults={"temperature": 0, "max_tokens": 30}, aliases=["t2"]))
        served.world.settle()
        wait_until(lambda: served.chat(model="t2").status_code == 200)
        assert served.text() == text[: text.index(text[4])]
        assert served.text(stop=[text[1]]) == text[: min(text.index(text[1]), text.index(text[4]))]
        assert served.chat(model="tiny").status_code == 404
        assert served.replica_ids() == before
    finally:
        served.world.apply(served.configs())
        wait_until(lambda: served.chat(model="tiny").status_code == 200)


def test_a_request_that_is_given_up_stops_generating(served: Served, ray_cluster: LocalCluster) -> None:
    request = {"model": "tiny", "messages": MESSAGES, "max_tokens": 900, "stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=request) as response:
        next(response.iter_raw())
    logs = Path(ray_cluster.temp_directory, "session_latest", "logs", "serve")
    wait_until(lambda: any("CANCELLED" in log.read_text() for log in logs.glob("replica_local--tiny-chat*.log")))


def wait_until(condition: Any, limit_s: float = 60.0) -> None:
    """Ask again until it is so: replicas take a new table a moment after the PUT."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.2)
