from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from reconciler.apply.smoke import GatewaySmoke, SmokeFailed
from tests.support.sender import FakeSender, refused, silent

Handler = Callable[[httpx.Request], httpx.Response]


def smoke(handler: Handler) -> GatewaySmoke:
    """A smoke test against a gateway that answers so."""
    return GatewaySmoke("http://gateway", sender=FakeSender(handler))


def answering(**answers: tuple[int, Any]) -> tuple[GatewaySmoke, list[httpx.Request]]:
    """A gateway that answers by the last part of the path, and what it was asked."""
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        status, body = answers[request.url.path.rsplit("/", 1)[-1]]
        return httpx.Response(status, json=body) if not isinstance(body, str) else httpx.Response(status, text=body)

    return smoke(handler), asked


def chat(**message: Any) -> tuple[int, Any]:
    """An answer of one chat choice."""
    return 200, {"choices": [{"message": message, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("message", "text"),
    [({"content": "hello"}, "hello"), ({"content": None, "reasoning_content": "hm"}, "hm"), ({"content": ""}, "")],
)
def test_a_chat_is_answered(message: dict[str, Any], text: str) -> None:
    gateway, asked = answering(completions=chat(**message))
    answer = gateway.ask("org/chat", "generation")
    assert (answer.asked, answer.text) == ("a completion", text)
    assert answer.seconds >= 0
    assert str(asked[0].url) == "http://gateway/v1/chat/completions"
    body = asked[0].read().decode()
    assert '"model":"org/chat"' in body and '"temperature":0' in body and '"max_tokens":8' in body


def test_a_model_without_a_chat_template_completes_text() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "chat" in request.url.path:
            return httpx.Response(400, json={"error": {"message": "no chat template"}})
        return httpx.Response(200, json={"choices": [{"text": " world"}]})

    assert smoke(handler).ask("org/base", "generation").text == " world"


def test_a_model_that_has_the_later_name_for_the_limit_is_asked_with_it() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.read().decode())
        if "max_completion_tokens" not in asked[-1]:
            return httpx.Response(400, text="Unsupported parameter: use 'max_completion_tokens' instead")
        return httpx.Response(200, json=chat(content="hello")[1])

    assert smoke(handler).ask("org/chat", "generation").text == "hello"
    assert len(asked) == 2
    assert "temperature" not in asked[1]


@pytest.mark.parametrize("kind", ["generation", "embedding"])
def test_a_budget_that_is_used_up_is_no_failure(kind: str) -> None:
    used_up = (429, {"error": {"message": "The budget of `a` is used up", "code": "budget_exceeded"}})
    gateway, _ = answering(completions=used_up, embeddings=used_up)
    assert "used up" in gateway.ask("org/chat", kind).text


def test_a_model_that_takes_no_conversations_completes_text() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "chat" in request.url.path:
            return httpx.Response(404, json={"error": {"message": "no", "code": "chat_disabled"}})
        return httpx.Response(200, json={"choices": [{"text": " world"}]})

    assert smoke(handler).ask("org/base", "generation").text == " world"


def test_only_the_model_itself_may_answer_and_only_who_has_the_key_is_answered() -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"choices": [{"text": "hello"}]})

    GatewaySmoke("http://gateway", "sk-1", sender=FakeSender(handler)).ask("org/chat", "generation")
    GatewaySmoke("http://gateway", sender=FakeSender(handler)).ask("org/chat", "generation")
    assert [request.headers["x-reconciler-exact"] for request in asked] == ["true", "true"]
    assert [request.headers.get("authorization") for request in asked] == ["Bearer sk-1", None]
    assert [request.headers.get("x-api-key") for request in asked] == ["sk-1", None]


def test_an_embedding_is_answered() -> None:
    gateway, asked = answering(embeddings=(200, {"data": [{"embedding": [0.1, 0.2]}]}))
    answer = gateway.ask("org/embed", "embedding")
    assert (answer.asked, answer.text) == ("an embedding", "2 dimensions")
    assert asked[0].url.path == "/v1/embeddings"


def test_the_models_are_listed() -> None:
    gateway, _ = answering(models=(200, {"object": "list", "data": [{"id": "a"}, {"id": "b"}]}))
    assert gateway.models() == {"a", "b"}


def test_a_gateway_without_models_lists_none() -> None:
    gateway, _ = answering(models=(200, {"object": "list", "data": []}))
    assert gateway.models() == frozenset()


@pytest.mark.parametrize(
    ("status", "settling"), [(404, True), (429, True), (500, True), (503, True), (400, False), (401, False)]
)
def test_an_error_status_may_pass_or_not(status: int, settling: bool) -> None:
    gateway, _ = answering(completions=(status, "the reason\nmore"))
    with pytest.raises(SmokeFailed) as raised:
        gateway.ask("org/chat", "generation")
    assert raised.value.settling is settling
    assert raised.value.message.endswith(f"completions answered {status}: the reason")


def test_nobody_there_may_pass() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise refused()

    with pytest.raises(SmokeFailed, match="no answer from http://gateway/v1/models: connection refused") as raised:
        smoke(handler).models()
    assert raised.value.settling
    assert raised.value.unreachable


def test_a_time_out_is_named() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise silent()

    with pytest.raises(SmokeFailed, match="no answer from http://gateway/v1/models in time") as raised:
        smoke(handler).models()
    assert not raised.value.unreachable


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>", "something else than a JSON object"),
        ([], "something else than a JSON object"),
        ({"choices": []}, "an empty `choices`"),
        ({"choices": ["x"]}, "an empty `choices`"),
        ({}, "without `choices`"),
    ],
)
def test_an_answer_that_is_none_is_refused(body: Any, message: str) -> None:
    gateway, _ = answering(completions=(200, body))
    with pytest.raises(SmokeFailed, match=message):
        gateway.ask("org/chat", "generation")


class Models(BaseHTTPRequestHandler):
    """A gateway with one model."""

    def do_GET(self) -> None:
        body = b'{"data": [{"id": "a"}]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_a_gateway_on_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with HTTPServer(("127.0.0.1", 0), Models) as server:
        Thread(target=server.handle_request).start()
        assert GatewaySmoke(f"http://127.0.0.1:{server.server_port}").models() == {"a"}
