"""The gateway's way from a request to an answer, with engines that are plain functions in this process."""

import asyncio
import json
from hashlib import sha256
from typing import Any

import pytest

from tests.support.local_gateway import BackPressureError, LocalGateway, echo, ingress, saying


def seen(response: Any) -> dict[str, Any]:
    """The request as the engine got it, its body taken apart."""
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return {**found, "body": json.loads(found["body"])}


def error(response: Any) -> dict[str, Any]:
    """The error of a response, which has the shape of OpenAI's."""
    found: dict[str, Any] = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found


def test_a_request_that_needs_nothing_is_passed_on_byte_by_byte() -> None:
    body = b'{ "model":"chat" ,"messages":[], "unknown_field": 1.50 }'
    gateway = LocalGateway(chat=echo).configure()
    found = gateway.ask("POST", "/v1/chat/completions", content=body, headers={"x-request-id": "r-1"}).json()
    assert (found["method"], found["path"], found["body"]) == ("POST", "/v1/chat/completions", body.decode())
    assert ["x-request-id", "r-1"] in found["headers"]


def test_defaults_aliases_and_stops_are_written_into_it() -> None:
    gateway = LocalGateway(chat=echo).configure(
        {"chat": {"aliases": ["c"], "defaults": {"temperature": 0}, "stop": ["END"], "stop_token_ids": [7]}}
    )
    assert seen(gateway.chat("c", top_k=3))["body"] == {
        "model": "chat",
        "messages": [{"role": "user", "content": "Hello"}],
        "top_k": 3,
        "temperature": 0,
        "stop": ["END"],
        "stop_token_ids": [7],
    }


def test_credentials_stay_here() -> None:
    gateway = LocalGateway(chat=echo).configure()
    headers = {"authorization": "Bearer secret", "cookie": "secret", "x-api-key": "secret"}
    found = gateway.ask("POST", "/v1/embeddings", json={"model": "chat"}, headers=headers)
    assert "secret" not in found.text


def test_the_answer_says_which_model_gave_it() -> None:
    gateway = LocalGateway(chat=echo).configure({"chat": {"aliases": ["c"]}})
    assert gateway.chat("c").headers["x-reconciler-model"] == "chat"


def test_the_only_model_need_not_be_named() -> None:
    assert seen(LocalGateway(chat=echo).configure().chat())["body"]["model"] == "chat"


def test_a_stream_is_passed_on() -> None:
    gateway = LocalGateway(chat=saying(b"data: 1\n\n", b"data: [DONE]\n\n")).configure()
    response = gateway.chat("chat", stream=True)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.content == b"data: 1\n\ndata: [DONE]\n\n"


def test_a_stream_that_breaks_ends_with_an_error_event() -> None:
    gateway = LocalGateway(chat=saying(b"data: 1\n\n", ValueError("secret words"))).configure()
    response = gateway.chat("chat", stream=True)
    assert response.status_code == 200
    first, event = [part for part in response.text.split("\n\n") if part]
    assert first == "data: 1"
    assert json.loads(event.removeprefix("data: "))["error"] == {
        "message": "The engine of model `chat` failed",
        "type": "internal_error",
        "param": None,
        "code": "engine_failed",
    }


def test_an_error_of_the_engine_is_passed_on_as_it_is() -> None:
    body = b'{"error":{"message":"bad temperature","type":"BadRequestError","param":null,"code":400}}'
    gateway = LocalGateway(chat=saying(body, status=400, content_type="application/json")).configure()
    response = gateway.chat("chat")
    assert (response.status_code, response.content) == (400, body)


def test_a_form_keeps_its_file() -> None:
    gateway = LocalGateway(whisper=echo).configure({"whisper": {"aliases": ["w"]}})
    found = gateway.ask(
        "POST", "/v1/audio/transcriptions", data={"model": "w"}, files={"file": ("a.wav", b"\x00\xff", "audio/wav")}
    ).json()
    assert 'name="model"\r\n\r\nwhisper\r\n' in found["body"]
    assert "\x00\xff" in found["body"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/v1/models", 404, "unknown_url"),
        ("POST", "/v1/load_lora_adapter", 404, "unknown_url"),
        ("POST", "/sleep", 404, "unknown_url"),
        ("GET", "/v1/models/unknown", 404, "model_not_found"),
    ],
)
def test_what_is_not_there_is_said_in_the_words_of_openai(method: str, path: str, status: int, code: str) -> None:
    response = LocalGateway(chat=echo).configure().ask(method, path)
    assert (response.status_code, error(response)["code"]) == (status, code)


def test_a_broken_body_is_a_400() -> None:
    response = LocalGateway(chat=echo).configure().ask("POST", "/v1/completions", content=b"{")
    assert response.status_code == 400
    assert error(response)["message"].startswith("The body is not JSON")


def test_a_body_over_the_limit_is_a_413() -> None:
    gateway = LocalGateway(chat=echo).configure(limits={"body_bytes": 100})
    assert gateway.chat("chat").status_code == 200
    response = gateway.chat("chat", padding="x" * 100)
    assert (response.status_code, error(response)["code"]) == (413, "request_too_large")


def test_an_error_of_the_gateway_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    gateway = LocalGateway(chat=echo).configure({"other": {}})
    with caplog.at_level("ERROR", logger="ray.serve"):
        response = gateway.chat("other", user="secret words")
    assert (response.status_code, error(response)["message"]) == (500, "The gateway failed to answer")
    assert "KeyError" in caplog.text
    assert "secret words" not in caplog.text


def test_models_are_listed_and_described() -> None:
    gateway = LocalGateway(chat=echo).configure({"org/b": {"kind": "embedding", "description": "B", "url": "http://b"}})
    listed = gateway.ask("GET", "/v1/models").json()
    assert listed["object"] == "list"
    assert [(model["id"], model["owned_by"]) for model in listed["data"]] == [("chat", "chat"), ("org/b", "org")]
    assert gateway.ask("GET", "/v1/models/org/b").json() == listed["data"][1]
    assert listed["data"][1]["metadata"] == {"kind": "embedding", "description": "B", "url": "http://b"}


def test_the_gateway_says_that_it_lives() -> None:
    assert LocalGateway().configure().ask("GET", "/health").status_code == 200


@pytest.mark.parametrize("broken", [{"models": {"other": {"application": "other"}}}, {"limits": {"nonsense": 1}}])
def test_settings_that_are_refused_leave_the_old_ones(broken: dict[str, Any]) -> None:
    gateway = LocalGateway(chat=echo).configure()
    with pytest.raises((KeyError, TypeError)):
        asyncio.run(gateway.gateway.reconfigure(broken))
    assert gateway.chat("chat").status_code == 200


KEYS = {
    "all": {"sha256": sha256(b"sk-all").hexdigest(), "models": ["*"]},
    "some": {"sha256": sha256(b"sk-some").hexdigest(), "models": ["small"]},
}


def bearer(key: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {key}"}}


def test_with_keys_only_their_holders_come_in_and_reach_what_is_theirs() -> None:
    gateway = LocalGateway(small=echo, large=echo).configure(keys=KEYS)
    assert gateway.ask("GET", "/health").status_code == 200
    paths = ("/v1/models", "/v1/models/small", "/reconciler/traffic", "/reconciler/work", "/nothing")
    for method, path in [("POST", "/v1/embeddings"), *(("GET", path) for path in paths)]:
        assert (gateway.ask(method, path).status_code, path) == (401, path)
    listed = [gateway.ask("GET", "/v1/models", **bearer(key)).json()["data"] for key in ("sk-all", "sk-some")]
    assert [[model["id"] for model in models] for models in listed] == [["small", "large"], ["small"]]
    assert gateway.ask("GET", "/v1/models/large", **bearer("sk-some")).status_code == 404
    for key, model, status in [("sk-all", "large", 200), ("sk-some", "small", 200), ("sk-some", "large", 404)]:
        assert gateway.ask("POST", "/v1/embeddings", json={"model": model}, **bearer(key)).status_code == status
    assert gateway.ask("GET", "/reconciler/traffic", **bearer("sk-some")).status_code == 403
    assert gateway.ask("GET", "/reconciler/work", **bearer("sk-some")).status_code == 403
    assert gateway.ask("GET", "/reconciler/work", **bearer("sk-all")).status_code == 200


def test_chat_is_refused_where_the_file_disables_it() -> None:
    gateway = LocalGateway(chat=echo).configure({"chat": {"chat": False}})
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
        response = gateway.ask("POST", path, json={"model": "chat"})
        assert (response.status_code, error(response)["code"]) == (404, "chat_disabled")
    assert gateway.ask("POST", "/v1/completions", json={"model": "chat"}).status_code == 200


def test_what_only_the_engine_can_count_is_asked_of_it() -> None:
    gateway = LocalGateway(chat=echo).configure({"chat": {"max_input_tokens": 9, "stop_token_sequences": [[1, 2]]}})
    assert seen(gateway.chat("chat"))["terms"] == {"max_input_tokens": 9, "stop_token_sequences": [[1, 2]]}
    assert seen(gateway.ask("POST", "/tokenize", json={"model": "chat"}))["terms"] == {}


def test_a_canary_answers_its_share_with_its_own_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = LocalGateway(a=echo, b=echo).configure(
        {"a": {"canary": {"model": "b", "percent": 5}, "defaults": {"seed": 1}}, "b": {"defaults": {"top_k": 2}}}
    )
    for chance, model, filled in [(0.01, "b", {"top_k": 2}), (0.5, "a", {"seed": 1})]:
        monkeypatch.setattr(ingress, "random", lambda chance=chance: chance)
        response = gateway.chat("a")
        assert response.headers["x-reconciler-model"] == model
        body = seen(response)["body"]
        assert body.pop("messages")
        assert body == {"model": model, **filled}


@pytest.mark.parametrize(
    "broken",
    [
        saying(ValueError("broken"), content_type="application/json"),
        saying(b"{}", status=500, content_type="application/json"),
        saying(b"{}", status=503, content_type="application/json"),
    ],
)
def test_a_fallback_answers_when_the_model_cannot(broken: Any) -> None:
    gateway = LocalGateway(a=broken, b=echo).configure({"a": {"fallback": "b"}})
    response = gateway.chat("a")
    assert response.headers["x-reconciler-model"] == "b"
    assert seen(response)["body"]["model"] == "b"


def test_a_fallback_does_not_answer_what_the_model_refuses() -> None:
    refused = saying(b"{}", status=400, content_type="application/json")
    gateway = LocalGateway(a=refused, b=echo).configure({"a": {"fallback": "b", "max_output_tokens": 5}})
    assert gateway.chat("a").status_code == 400
    assert error(gateway.chat("a", max_tokens=6))["param"] == "max_tokens"


def test_when_the_fallback_cannot_either_the_error_is_that_of_the_model_which_was_meant() -> None:
    broken = saying(ValueError("broken"))
    gateway = LocalGateway(a=broken, b=broken).configure({"a": {"fallback": "b"}})
    response = gateway.chat("a")
    assert (response.status_code, error(response)["message"]) == (502, "The engine of model `a` failed")
    refuses = LocalGateway(a=broken, b=echo).configure({"a": {"fallback": "b"}, "b": {"chat": False}}).chat("a")
    assert (refuses.status_code, error(refuses)["message"]) == (502, "The engine of model `a` failed")


def test_a_stream_that_has_begun_does_not_fall_back() -> None:
    gateway = LocalGateway(a=saying(b"data: 1\n\n", ValueError()), b=echo).configure({"a": {"fallback": "b"}})
    response = gateway.chat("a", stream=True)
    assert response.headers["x-reconciler-model"] == "a"
    assert "engine_failed" in response.text


def test_a_canary_that_cannot_answer_leaves_it_to_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingress, "random", lambda: 0.0)
    gateway = LocalGateway(a=echo, b=saying(ValueError("broken"))).configure(
        {"a": {"canary": {"model": "b", "percent": 1}}}
    )
    assert gateway.chat("a").headers["x-reconciler-model"] == "a"


def test_a_full_queue_is_a_canarys_own_affair_but_no_reason_to_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingress, "random", lambda: 0.0)
    full = saying(BackPressureError(num_queued_requests=1, max_queued_requests=1))
    share = {"canary": {"model": "b", "percent": 1}, "fallback": "c"}
    assert LocalGateway(a=echo, b=full, c=echo).configure({"a": share}).chat("a").status_code == 200
    response = LocalGateway(a=full, b=full, c=echo).configure({"a": share}).chat("a")
    assert (response.status_code, error(response)["code"]) == (429, "too_many_requests")


def test_an_id_that_is_not_taken_is_replaced_and_given_back() -> None:
    gateway = LocalGateway(chat=echo).configure()
    made = gateway.ask("POST", "/v1/embeddings", json={"model": "chat"}, headers={"x-request-id": "not sane"})
    [identifier] = made.headers.get_list("x-request-id")
    assert identifier != "not sane"
    assert ["x-request-id", identifier] in made.json()["headers"]
    # Serve gives the client's own back.
    kept = gateway.ask("POST", "/v1/embeddings", json={"model": "chat"}, headers={"x-request-id": "sane"})
    assert kept.headers.get_list("x-request-id") == []
