"""What every engine promises, whatever it is: the same questions to all of them, through the gateway."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest

from tests.engines.conftest import Engine
from tests.support.engines import wait_until

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Hello"}]


def chat(engine: Engine, **fields: Any) -> httpx.Response:
    return engine.fleet.post(CHAT, {"model": engine.model_id, "messages": MESSAGES, **fields})


def events(engine: Engine, path: str, **fields: Any) -> list[Any]:
    """The events of a stream, `[DONE]` as text."""
    request = {"model": engine.model_id, "stream": True, **fields}
    with engine.fleet.http.stream("POST", path, json=request) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        texts = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def test_a_chat(engine: Engine) -> None:
    response = chat(engine)
    assert response.status_code == 200, response.text
    found = response.json()
    assert (found["model"], found["object"]) == (engine.model_id, "chat.completion")
    [choice] = found["choices"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "length")
    assert choice["message"]["content"]
    usage = found["usage"]
    assert usage["completion_tokens"] == 6
    assert usage["total_tokens"] == usage["prompt_tokens"] + 6
    assert chat(engine).json()["choices"] == found["choices"]


def test_a_completion(engine: Engine) -> None:
    fields = {"model": engine.model_id, "prompt": "Hello", "max_tokens": 4}
    found = engine.fleet.post("/v1/completions", fields).json()
    assert (found["model"], found["object"]) == (engine.model_id, "text_completion")
    assert found["choices"][0]["text"]
    assert found["usage"]["completion_tokens"] == 4


def test_a_stream_is_the_same_answer_in_parts(engine: Engine) -> None:
    whole = chat(engine).json()["choices"][0]["message"]["content"]
    *parts, done = events(engine, CHAT, messages=MESSAGES, stream_options={"include_usage": True})
    assert done == "[DONE]"
    assert {part["model"] for part in parts} == {engine.model_id}
    assert {part["object"] for part in parts} == {"chat.completion.chunk"}
    choices = [choice for part in parts for choice in part["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == whole
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["length"]
    assert parts[-1]["usage"]["completion_tokens"] == 6
    *parts, done = events(engine, "/v1/completions", prompt="Hello")
    assert (done, len("".join(part["choices"][0]["text"] for part in parts)) > 0) == ("[DONE]", True)


def test_openai_s_own_client(engine: Engine) -> None:
    address = f"{engine.fleet.cluster.gateway_address}/v1"
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as client:
        found = client.chat.completions.create(model=engine.model_id, messages=MESSAGES)  # type: ignore[arg-type]
        assert found.choices[0].message.content
        with client.chat.completions.create(  # type: ignore[call-overload]
            model=engine.model_id, messages=MESSAGES, stream=True
        ) as stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == found.choices[0].message.content
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(  # type: ignore[call-overload]
                model=engine.model_id, messages=MESSAGES, temperature="hot"
            )


def test_a_field_that_nobody_knows_is_no_error(engine: Engine) -> None:
    assert chat(engine, a_field_of_tomorrow={"a": 1}).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {"messages": "hello"}),
        (CHAT, {"messages": MESSAGES, "temperature": "hot"}),
        (CHAT, {"messages": MESSAGES, "max_tokens": "many"}),
        (CHAT, {"messages": [{"role": "user", "content": "x" * 3000}]}),
        ("/v1/completions", {"prompt": {"a": 1}}),
    ],
)
def test_what_is_wrong_with_a_request_is_told_in_openai_s_shape(engine: Engine, path: str, fields: Any) -> None:
    response = engine.fleet.post(path, {"model": engine.model_id, **fields})
    assert response.status_code in (400, 422), response.text
    error = response.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert isinstance(error["message"], str)
    assert chat(engine).status_code == 200


def test_an_error_before_a_stream_is_no_stream(engine: Engine) -> None:
    response = chat(engine, stream=True, temperature="hot")
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/embeddings"])
def test_what_it_does_not_answer_is_refused(engine: Engine, path: str) -> None:
    response = engine.fleet.post(path, {"model": engine.model_id, "input": "hello"})
    assert response.status_code in (400, 404, 501), response.text
    assert response.json()["error"]["message"]


def test_a_client_that_goes_away_stops_the_work(engine: Engine) -> None:
    request = {"model": engine.model_id, "messages": MESSAGES, "max_tokens": 900, "ignore_eos": True, "stream": True}
    before = sum(one.requests for one in engine.fleet.work(engine.model_id))
    with engine.fleet.http.stream("POST", CHAT, json=request) as response:
        next(response.iter_bytes())
    wait_until(lambda: engine.fleet.ongoing(engine.model_id) == 0, 20)
    assert sum(one.requests for one in engine.fleet.work(engine.model_id)) == before + 1


def test_requests_side_by_side(engine: Engine) -> None:
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: chat(engine, max_tokens=20, seed=number).status_code, range(24)))
    assert found == [200] * 24


def test_its_replicas_say_what_they_do(engine: Engine) -> None:
    [before] = engine.fleet.work(engine.model_id)
    chat(engine)
    [after] = engine.fleet.work(engine.model_id)
    assert after.replica_id == before.replica_id == engine.fleet.replica_ids(engine.model_id)[0]
    assert (after.requests, after.ongoing) == (before.requests + 1, 0)
    assert after.last_s is not None
    assert after.last_s < after.watched_s
    assert after.about is not None
    assert after.about.versions["ray"]
