"""A service that does not speak OpenAI's API, through LiteLLM: a stand-in for Anthropic's."""

import asyncio
import json
import sys
import warnings
from typing import Any

import pytest

from runtime.saas import litellm_service
from tests.runtime.saas.test_server import ask, request, serving
from tests.support.upstream import Received, Script, Wire, completion

KEY = "sk-ant-0123456789abcdef"
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 7, "output_tokens": 3},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]


@pytest.fixture(autouse=True, scope="module")
def library() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        litellm_service.load()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", KEY)
    monkeypatch.setattr("runtime.saas.retry._FIRST_S", 0.01)


async def message(wire: Wire, received: Received) -> None:
    await wire.answer(MESSAGE)


async def stream(wire: Wire, received: Received) -> None:
    await send(wire, EVENTS)
    await wire.chunk(b"")


async def send(wire: Wire, events: list[dict[str, Any]]) -> None:
    await wire.head(content_type="text/event-stream")
    for event in events:
        await wire.chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


def refusing(status: int, text: str, **headers: str) -> Script:
    async def script(wire: Wire, received: Received) -> None:
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": text}}
        await wire.answer(error, status, **headers)

    return script


def answer(
    *scripts: Script, path: str = "/v1/chat/completions", asked: Any = None, **settings: Any
) -> tuple[dict[str, Any], str, list[Received]]:
    async def run() -> tuple[dict[str, Any], str, list[Received]]:
        given = {"protocol": "litellm", "model": "anthropic/claude-x", **settings}
        async with serving(*scripts) as (server, upstream):
            base = upstream.base_url.removesuffix("/v1")
            times = {"timeout_s": 5.0, "idle_timeout_s": 2.0, "retries": 2}
            await server.reconfigure({"api_key": "${env:UPSTREAM_KEY}", "base_url": base, **times, **given})
            asking = request(path, **(asked or {}))
            if "prompt" in (asked or {}):
                asking["body"] = json.dumps({"model": "org/chat", **(asked or {})}).encode()
            head, body = await ask(server, asking)
            assert KEY not in json.dumps(head) + body.decode()
            return head, body.decode(), upstream.received

    with warnings.catch_warnings():
        # What the library does in its own house.
        warnings.simplefilter("ignore")
        return asyncio.run(run())


def test_a_chat_is_translated_both_ways() -> None:
    head, body, [received] = answer(message, asked={"max_tokens": 5}, headers={"X-Team": "a"})
    assert head["status"] == 200
    found = json.loads(body)
    assert (found["model"], found["object"]) == ("org/chat", "chat.completion")
    assert found["choices"][0]["message"]["content"] == "hello"
    assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (7, 3)
    assert (received.path, received.headers["x-api-key"], received.headers["x-team"]) == ("/v1/messages", KEY, "a")
    assert (received.fields["model"], received.fields["max_tokens"]) == ("claude-x", 5)


def test_a_stream_is_translated_as_it_comes() -> None:
    head, body, [received] = answer(stream, asked={"stream": True, "stream_options": {"include_usage": True}})
    assert dict(head["headers"])["content-type"].startswith("text/event-stream")
    assert received.fields["stream"] is True
    *events, done = body.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    found = [json.loads(event.removeprefix("data: ")) for event in events]
    assert {event["model"] for event in found} == {"org/chat"}
    texts = [choice["delta"].get("content") or "" for event in found for choice in event["choices"]]
    assert [text for text in texts if text] == ["hel", "lo"]
    assert found[-1]["usage"]["completion_tokens"] == 3


def test_text_is_completed_too() -> None:
    head, body, _ = answer(message, path="/v1/completions", asked={"prompt": "hi", "max_tokens": 3})
    assert (head["status"], json.loads(body)["choices"][0]["text"]) == (200, "hello")


def test_another_path_is_none_of_its_own() -> None:
    head, body, received = answer(message, path="/v1/responses")
    assert (head["status"], received) == (404, [])
    assert "/v1/chat/completions" in body


@pytest.mark.parametrize(("status", "told"), [(400, 400), (404, 404), (401, 502), (529, 500)])
def test_a_refusal_has_openai_s_shape_and_no_key(status: int, told: int) -> None:
    head, body, _ = answer(refusing(status, f"bad {KEY}"))
    assert head["status"] == told
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", litellm_service._CALLS)
def test_what_is_ours_is_no_field_of_a_request(path: str) -> None:
    known = litellm_service.known_fields(path)
    ours = {"api_base", "api_key", "api_version", "base_url", "custom_llm_provider", "extra_headers", "extra_body"}
    assert not known & {*ours, "fallbacks", "metadata", "mock_response", "model_list", "model", "timeout"}
    assert "user" in known


def test_a_client_cannot_say_where_our_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {
        "api_base": "http://127.0.0.1:1",
        "api_key": "theirs",
        "base_url": "http://127.0.0.1:1",
        "custom_llm_provider": "openai",
        "extra_headers": {"x-api-key": "theirs"},
        "mock_response": "mine",
        "timeout": 0.001,
    }

    async def run() -> tuple[dict[str, Any], bytes, list[Received]]:
        async with serving(message) as (server, upstream):
            # Nothing in the file says where the service is: LiteLLM knows it.
            monkeypatch.setenv("ANTHROPIC_API_BASE", upstream.base_url.removesuffix("/v1"))
            times = {"timeout_s": 5.0, "idle_timeout_s": 2.0, "retries": 0}
            service = {"protocol": "litellm", "model": "anthropic/claude-x", "api_key": "${env:UPSTREAM_KEY}"}
            await server.reconfigure({**service, **times})
            head, body = await ask(server, request(**theirs))
            return head, body, upstream.received

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        head, body, [received] = asyncio.run(run())
    assert (head["status"], received.headers["x-api-key"]) == (200, KEY)
    assert json.loads(body)["choices"][0]["message"]["content"] == "hello"


def test_what_asks_to_come_back_is_asked_again() -> None:
    head, _, received = answer(refusing(429, "busy", retry_after="0"), message)
    assert (head["status"], len(received)) == (200, 2)


def test_a_limit_is_told_with_its_time() -> None:
    head, _, received = answer(refusing(429, "busy", retry_after="120"))
    assert (head["status"], dict(head["headers"])["retry-after"], len(received)) == (429, "120", 1)


def test_nobody_there_is_an_error_after_some_tries() -> None:
    head, body, _ = answer(completion, base_url="http://127.0.0.1:1")
    assert (head["status"], json.loads(body)["error"]["code"]) == (502, "no_connection")


@pytest.mark.parametrize("asked", [{}, {"stream": True}])
def test_a_service_that_hangs_does_not_hang_the_client(asked: dict[str, Any]) -> None:
    async def hangs(wire: Wire, received: Received) -> None:
        await wire.gone.wait()

    head, _, received = answer(hangs, asked=asked, timeout_s=0.6, idle_timeout_s=0.3)
    assert (head["status"], len(received)) == (504, 1)


def test_a_stream_that_hangs_or_breaks_off_says_so_at_its_end() -> None:
    async def hangs(wire: Wire, received: Received) -> None:
        await send(wire, EVENTS[:4])
        await wire.gone.wait()

    async def breaks(wire: Wire, received: Received) -> None:
        await send(wire, EVENTS[:4])
        wire.writer.close()

    for script in (hangs, breaks):
        head, body, _ = answer(script, asked={"stream": True}, idle_timeout_s=0.5)
        assert head["status"] == 200
        assert '"error"' in body


def test_a_node_without_the_library_says_how_it_gets_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(RuntimeError, match=r"`runtime_env: \{pip: \[litellm\]\}`"):
        litellm_service.load()
