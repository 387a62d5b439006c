"""A real vLLM engine behind the real gateway."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from reconciler.serve.http_client import USER_AGENT
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.traffic import read_traffic
from reconciler.state.traffic import Traffic
from tests.support.deployed import START_LIMIT_S, Deployed
from tests.support.world import World

pytestmark = pytest.mark.vllm

MESSAGES = [{"role": "user", "content": "Hello"}]


@dataclass
class Served:
    """The deployed models and gateway, and clients of them."""

    tiny: Deployed
    http: httpx.Client
    dashboard: httpx.Client

    @property
    def world(self) -> World:
        return self.tiny.world

    def chat(self, **fields: Any) -> httpx.Response:
        """A chat request; `messages` are there already."""
        return self.http.post("/v1/chat/completions", json={"messages": MESSAGES, **fields})

    def text(self, **fields: Any) -> str:
        """The answer to a chat request."""
        response = self.chat(model="local/tiny-chat", **fields)
        assert response.status_code == 200, response.text
        return str(response.json()["choices"][0]["message"]["content"])

    @contextmanager
    def changed(self, **route: Any) -> Iterator[None]:
        """The model's route with these changes, for a while."""
        try:
            self.world.apply(self.tiny.configs(**route))
            yield
        finally:
            self.world.apply(self.tiny.configs())
            wait_until(lambda: self.text() and len(self.text()) == 12)

    def replica_ids(self) -> dict[str, list[str]]:
        """Replica ids by application."""
        return {
            application.name: [replica.replica_id for part in application.deployments for replica in part.replicas]
            for application in self.world.state().applications
        }


@pytest.fixture(scope="module")
def served(tiny: Deployed, ray_cluster: LocalCluster) -> Iterator[Served]:
    headers = {"Authorization": f"Bearer {ray_cluster.token}"} if ray_cluster.token else {}
    with (
        httpx.Client(base_url=tiny.address, timeout=120) as http,
        httpx.Client(base_url=ray_cluster.dashboard_address, headers=headers, timeout=60) as dashboard,
    ):
        yield Served(tiny, http, dashboard)


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
        "local/tiny-vectors": "Says nothing",
        "local/absent": "Says nothing",
    }
    assert served.http.get("/v1/models/local/tiny-chat").json() in listed


def test_the_openai_client_works(served: Served) -> None:
    with openai.OpenAI(base_url=f"{served.http.base_url}/v1", api_key="none", max_retries=0) as client:
        assert sorted(model.id for model in client.models.list()) == [
            "local/absent",
            "local/tiny-chat",
            "local/tiny-vectors",
        ]
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
        ("/v1/chat/completions", {"model": "tiny", "temperature": "hot"}, 400, "temperature"),
        ("/v1/chat/completions", {"model": "tiny", "max_tokens": 10**6}, 400, "max_tokens=1000000 cannot be greater"),
        ("/v1/chat/completions", {"model": "local/absent"}, 503, "its application is not deployed"),
        ("/v1/embeddings", {"model": "tiny", "input": "x"}, 404, "This model does not answer `/v1/embeddings`"),
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
    planned = [
        [dict(bundle) for bundle in entry.bundles.bundles]
        for entry in served.tiny.desired.applications
        if entry.name in ("local--tiny-chat", "local--tiny-vectors")
    ]
    answer = served.dashboard.get("/api/v0/placement_groups", params={"detail": "1"}).json()
    groups = [group for group in answer["data"]["result"]["result"] if group["state"] == "CREATED"]
    held = [[bundle["unit_resources"] for bundle in group["bundles"]] for group in groups]
    assert held == planned


def test_a_new_table_is_taken_by_the_same_replicas(served: Served) -> None:
    before, text = served.replica_ids(), served.text()
    try:
        defaults = {"temperature": 0, "max_tokens": 30}
        served.world.put(served.tiny.configs(stop=[text[4]], defaults=defaults, aliases=["t2"]))
        served.world.settle()
        wait_until(lambda: served.chat(model="t2").status_code == 200)
        assert served.text() == text[: text.index(text[4])]
        assert served.text(stop=[text[1]]) == text[: min(text.index(text[1]), text.index(text[4]))]
        assert served.chat(model="tiny").status_code == 404
        assert served.replica_ids() == before
    finally:
        served.world.apply(served.tiny.configs())
        wait_until(lambda: served.chat(model="tiny").status_code == 200)


def test_whatever_vllm_offers_passes(served: Served) -> None:
    body = served.chat(
        model="tiny", max_tokens=3, logprobs=True, top_logprobs=2, n=2, temperature=1, seed=1, made_up={"a": 1}
    ).json()
    assert len(body["choices"]) == 2
    assert len(body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) == 2
    format = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"enum": [True, False]}}}
    assert served.text(response_format=format, max_tokens=20) in ("true", "false")
    answer = served.http.post("/v1/responses", json={"model": "tiny", "input": "Hello", "max_output_tokens": 5}).json()
    assert (answer["object"], answer["usage"]["output_tokens"]) == ("response", 5)
    message = {"model": "tiny", "max_tokens": 4, "messages": MESSAGES}
    assert served.http.post("/v1/messages", json=message).json()["usage"]["output_tokens"] == 4


def test_what_manages_an_engine_is_out_of_reach(served: Served) -> None:
    for path in ("/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/start_profile", "/collective_rpc", "/metrics"):
        assert served.http.post(path, json={"model": "tiny"}).status_code == 404


def test_the_id_of_a_request_is_that_of_its_answer(served: Served) -> None:
    response = served.http.post(
        "/v1/chat/completions",
        json={"model": "tiny", "messages": MESSAGES, "max_tokens": 1},
        headers={"x-request-id": "request-7"},
    )
    assert response.headers.get_list("x-request-id") == ["request-7"]
    assert response.json()["id"] == "chatcmpl-request-7"
    assert response.headers["x-reconciler-model"] == "local/tiny-chat"


def test_limits_in_tokens_are_those_of_the_table(served: Served) -> None:
    """Changed in place; prompts are counted by the engine, whose tokens are bytes here."""
    prompt = {"model": "tiny", "prompt": "a" * 20, "max_tokens": 1}
    before = served.replica_ids()
    with served.changed(max_input_tokens=20, max_output_tokens=9):
        wait_until(lambda: served.http.post("/v1/completions", json={**prompt, "max_tokens": 10}).status_code == 400)
        assert served.http.post("/v1/completions", json=prompt).status_code == 200
        for stream in (False, True):
            long = served.http.post("/v1/completions", json={**prompt, "prompt": "a" * 21, "stream": stream})
            assert long.status_code == 400, long.text
            assert "at most 20 input tokens" in long.json()["error"]["message"]
        long_message = [{"role": "user", "content": "a" * 21}]
        talk = served.chat(model="tiny", messages=long_message, max_tokens=1)
        assert talk.status_code == 400
        assert "at most 20 input tokens" in talk.json()["error"]["message"]
        assert served.http.post("/tokenize", json={"model": "tiny", "prompt": "a" * 50}).json()["count"] == 50
        assert served.replica_ids() == before


def test_stops_may_be_tokens_and_sequences_of_tokens(served: Served) -> None:
    text = served.text(max_tokens=60)
    pair = text[9:11]
    with served.changed(stop_token_sequences=[[ord(letter) for letter in pair]], defaults={"temperature": 0}):
        wait_until(lambda: served.text(max_tokens=60) == text[: text.index(pair)])
        assert served.text(max_tokens=60, stop=[text[3]]) == text[: min(text.index(text[3]), text.index(pair))]
    with served.changed(stop_token_ids=[ord(text[5])], defaults={"temperature": 0}):
        wait_until(lambda: served.text(max_tokens=60) == text[: text.index(text[5])])


def test_a_model_that_takes_no_conversations_completes_text(served: Served) -> None:
    with served.changed(chat=False):
        wait_until(lambda: served.chat(model="tiny").status_code == 404)
        assert served.chat(model="tiny").json()["error"]["code"] == "chat_disabled"
        assert served.http.post("/v1/completions", json={"model": "tiny", "prompt": "a"}).status_code == 200


def test_an_engine_says_what_it_has_to_do(served: Served) -> None:
    found = served.http.get("/reconciler/work").json()["models"]
    assert found["local/absent"] is None
    [(replica, work)] = found["local/tiny-chat"].items()
    assert [replica] == served.replica_ids()["local--tiny-chat"]
    assert work["requests"] > 0
    assert set(work) == {"requests", "ongoing", "last_s", "watched_s", "about"}
    assert 0 <= work["last_s"] <= work["watched_s"]


def test_a_request_that_is_given_up_before_its_answer_stops_generating(served: Served) -> None:
    def ongoing() -> int:
        [work] = served.http.get("/reconciler/work").json()["models"]["local/tiny-chat"].values()
        return int(work["ongoing"])

    request = {"model": "tiny", "messages": MESSAGES, "max_tokens": 900, "ignore_eos": True}
    with pytest.raises(httpx.ReadTimeout):
        served.http.post("/v1/chat/completions", json=request, timeout=0.3)
    wait_until(lambda: ongoing() == 0)


def test_a_request_that_is_given_up_stops_generating(served: Served, ray_cluster: LocalCluster) -> None:
    request = {"model": "tiny", "messages": MESSAGES, "max_tokens": 900, "stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=request) as response:
        next(response.iter_raw())
    logs = Path(ray_cluster.temp_directory, "session_latest", "logs", "serve")
    wait_until(lambda: any("CANCELLED" in log.read_text() for log in logs.glob("replica_local--tiny-chat*.log")))


def test_the_replicas_of_the_gateway_count_together_who_still_asks(served: Served) -> None:
    def counted() -> Traffic:
        found = read_traffic(str(served.http.base_url))
        assert isinstance(found, Traffic), found
        return found

    before = counted()
    assert before.replicas == 1
    assert before.models["local/tiny-chat"].requests > 0
    configs = served.tiny.configs()
    gateway = next(config for config in configs if config["name"] == "gateway")
    gateway["deployments"][0]["autoscaling_config"] |= {"min_replicas": 2, "max_replicas": 2}
    served.world.put(configs)
    try:
        served.world.settle(START_LIMIT_S)
        asked = 12
        for number in range(asked):
            model = ("local/tiny-chat", "tiny", "local/absent")[number % 3]
            # A connection for each: one that is kept open may stay with one replica.
            headers = {"Connection": "close"}
            body = {"model": model, "messages": MESSAGES, "max_tokens": 1}
            assert served.http.post("/v1/chat/completions", json=body, headers=headers).status_code in (200, 503)
        ours = served.http.post(
            "/v1/chat/completions",
            json={"model": "tiny", "messages": MESSAGES, "max_tokens": 1},
            headers={"User-Agent": USER_AGENT},
        )
        assert ours.status_code == 200
        after = counted()
    finally:
        served.world.apply(served.tiny.configs())
    assert after.replicas == 2
    assert after.watched_s > 0
    for model, count in (("local/tiny-chat", 2 * asked // 3), ("local/absent", asked // 3)):
        earlier = before.models.get(model)
        assert after.models[model].requests - (earlier.requests if earlier else 0) == count
        assert 0 <= after.models[model].last_s <= after.watched_s


def wait_until(condition: Any, limit_s: float = 60.0) -> None:
    """Ask again until it is so: replicas take a new table a moment after the PUT."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.2)
