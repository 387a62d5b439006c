"""The official client gets the same answers through the gateway as from `vllm serve` with the same model."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest

from reconciler.serve.local.cluster import LocalCluster
from tests.support.deployed import Deployed
from tests.support.scenarios import ANSWERED, HELLO, MODEL, REFUSED, VECTORS, Scenario, comparable, joined
from tests.support.vllm_serve import vllm_serve

pytestmark = pytest.mark.vllm

TIMEOUT_S = 120.0


@dataclass
class Sides:
    """The gateway, and `vllm serve` for each of the two models, which serves one at a time."""

    gateway: str
    chat: str
    vectors: str

    def direct(self, scenario: Scenario) -> str:
        """The `vllm serve` that has the model of a scenario."""
        return self.chat if scenario.arguments["model"] == MODEL else self.vectors


@pytest.fixture(scope="module")
def sides(
    ray_cluster: LocalCluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sides]:
    folder = tmp_path_factory.mktemp("sides")
    model = ray_cluster.models_directory / "tiny-chat"
    name, limit = ("--served-model-name",), ("--max-model-len", "1024")
    tools = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
    pooling = ("--runner", "pooling")
    with (
        vllm_serve(model, folder / "chat.log", *name, MODEL, *limit, *tools, alone=True) as chat,
        vllm_serve(model, folder / "vectors.log", *name, VECTORS, *limit, *pooling, alone=True) as vectors,
    ):
        # Asked for only now, so that all of them start at the same time.
        tiny: Deployed = request.getfixturevalue("tiny")
        # `vllm serve` has no defaults; what the gateway fills in has tests of its own.
        tiny.world.put(tiny.configs(defaults={}))
        try:
            tiny.world.settle()
            chat.wait()
            vectors.wait()
            yield Sides(tiny.address, chat.address, vectors.address)
        finally:
            tiny.world.apply(tiny.configs())


@dataclass
class Heard:
    """What a client heard."""

    status: int
    kind: str
    """The content type."""
    body: Any


def ask(address: str, scenario: Scenario) -> Heard:
    """Ask with the official client."""
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=TIMEOUT_S) as client:
        resource: Any = client
        for name in scenario.call.split("."):
            resource = getattr(resource, name)
        try:
            answer = resource.with_raw_response.create(**scenario.arguments)
            if not scenario.arguments.get("stream"):
                return Heard(
                    answer.status_code, answer.headers["content-type"], comparable(answer.http_response.json())
                )
            chunks = [comparable(chunk.to_dict(mode="json")) for chunk in answer.parse()]
        except openai.APIStatusError as error:
            return Heard(error.status_code, error.response.headers["content-type"], error.response.json())
        body = event_kinds(chunks) if scenario.call == "responses" else joined(chunks)
        return Heard(answer.status_code, answer.headers["content-type"], body)


def event_kinds(events: list[Any]) -> Any:
    """A streamed response: which events there are, all deltas put together, and the last event, which has it all."""
    kinds = [event["type"] for event in events]
    text = "".join(event.get("delta", "") for event in events if event["type"] == "response.output_text.delta")
    last = {name: value for name, value in events[-1].items() if name != "sequence_number"}
    return {"kinds": list(dict.fromkeys(kinds)), "text": text, "last": last}


@pytest.mark.parametrize("name", ANSWERED)
def test_an_answer_is_that_of_vllm_serve(sides: Sides, name: str) -> None:
    scenario = ANSWERED[name]
    direct, ours = ask(sides.direct(scenario), scenario), ask(sides.gateway, scenario)
    assert direct.status == 200, direct.body
    assert ours == direct


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_that_of_vllm_serve(sides: Sides, name: str) -> None:
    scenario = REFUSED[name]
    direct, ours = ask(sides.direct(scenario), scenario), ask(sides.gateway, scenario)
    assert 400 <= direct.status < 500, direct.body
    assert ours == direct


def test_what_is_no_part_of_the_client_is_answered_alike(sides: Sides) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/tokenize", {"model": MODEL, "messages": HELLO}),
        ("/tokenize", {"model": MODEL, "prompt": "abc"}),
        ("/detokenize", {"model": MODEL, "tokens": [97, 98, 99]}),
        ("/v1/score", {"model": VECTORS, "text_1": "One", "text_2": ["One", "Two"]}),
        ("/v1/rerank", {"model": VECTORS, "query": "One", "documents": ["Two", "One"]}),
        ("/pooling", {"model": VECTORS, "input": "One"}),
        ("/v1/messages", {"model": MODEL, "messages": HELLO, "max_tokens": 9, "temperature": 0}),
    ]
    for path, body in asked:
        direct = httpx.post(sides.direct(Scenario("embeddings", body)) + path, json=body, timeout=TIMEOUT_S)
        ours = httpx.post(sides.gateway + path, json=body, timeout=TIMEOUT_S)
        assert direct.status_code == 200, (path, direct.text)
        assert (ours.status_code, comparable(ours.json())) == (200, comparable(direct.json())), path


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b'"Hello"', 400),
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b'{"model": "unknown", "messages": []}', 404),
        ("POST", "/v1/completions", b'{"model": "unknown", "prompt": "x"}', 404),
        ("POST", "/v1/nothing", b"{}", 404),
        ("GET", "/v1/chat/completions", None, 405),
        ("GET", "/v1/models/unknown", None, 404),
        ("POST", "/v1/embeddings", b'{"model": "local/tiny-chat", "input": "x"}', 404),
    ],
)
def test_what_the_gateway_refuses_itself_has_the_status_of_vllm_serve_and_the_shape_of_openai(
    sides: Sides, method: str, path: str, content: bytes | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"} if content is not None else {}
    direct = httpx.request(method, sides.chat + path, content=content, headers=headers, timeout=TIMEOUT_S)
    ours = httpx.request(method, sides.gateway + path, content=content, headers=headers, timeout=TIMEOUT_S)
    # The words are the gateway's: it knows what else is served, and vLLM's `{"detail": "Not Found"}` is no error to
    # OpenAI's client. `/v1/models/{id}` is no path of vLLM's.
    assert ours.status_code == direct.status_code == status, (ours.text, direct.text)
    assert set(ours.json()["error"]) == {"message", "type", "param", "code"}


def test_the_client_finds_the_models(sides: Sides) -> None:
    with openai.OpenAI(base_url=f"{sides.gateway}/v1", api_key="none", max_retries=0) as client:
        listed = client.models.list()
        assert {model.id for model in listed} >= {MODEL, VECTORS}
        assert client.models.retrieve(MODEL) in listed.data


def test_the_asynchronous_client_gets_the_same(sides: Sides) -> None:
    names = ["a chat", "a streamed chat with its usage", "a tool that is named", "JSON of a schema", "a completion"]
    chosen = [ANSWERED[name] for name in names] + [
        REFUSED["a prompt that is too long"],
        REFUSED["a negative temperature"],
    ]

    async def all_of_them() -> list[Heard]:
        async with openai.AsyncOpenAI(
            base_url=f"{sides.gateway}/v1", api_key="none", max_retries=0, timeout=TIMEOUT_S
        ) as client:
            return list(await asyncio.gather(*(ask_async(client, scenario) for scenario in chosen)))

    for scenario, heard in zip(chosen, asyncio.run(all_of_them()), strict=True):
        assert heard == ask(sides.chat, scenario)


async def ask_async(client: openai.AsyncOpenAI, scenario: Scenario) -> Heard:
    resource: Any = client
    for name in scenario.call.split("."):
        resource = getattr(resource, name)
    try:
        answer = await resource.with_raw_response.create(**scenario.arguments)
        if not scenario.arguments.get("stream"):
            return Heard(answer.status_code, answer.headers["content-type"], comparable(answer.http_response.json()))
        chunks = [comparable(chunk.to_dict(mode="json")) async for chunk in answer.parse()]
    except openai.APIStatusError as error:
        return Heard(error.status_code, error.response.headers["content-type"], error.response.json())
    return Heard(answer.status_code, answer.headers["content-type"], joined(chunks))
