"""What a model that somebody else runs answers: from a stand-in for the service, in every mood."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.upstream import ANSWER, Received, Script, Upstream, Wire, completion, delta

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from ray import serve

    from runtime.saas.server import SaaSServer

KEY = "sk-live-0123456789abcdef"
CHAT = "/v1/chat/completions"


@asynccontextmanager
async def serving(*scripts: Script, **settings: Any) -> AsyncIterator[tuple[SaaSServer, Upstream]]:
    keep_open = settings.pop("keep_open", False)
    async with Upstream(list(scripts), keep_open=keep_open) as upstream:
        server = SaaSServer("org/chat")
        given = {
            "protocol": "openai",
            "base_url": upstream.base_url,
            "model": "their-name",
            "api_key": "${env:UPSTREAM_KEY}",
            "timeout_s": 5.0,
            "idle_timeout_s": 2.0,
            "retries": 2,
        }
        await server.reconfigure({**given, **settings})
        try:
            yield server, upstream
        finally:
            await server.close()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", KEY)
    monkeypatch.setattr("runtime.saas.retry._FIRST_S", 0.01)
    context = SimpleNamespace(replica_id=SimpleNamespace(unique_id="r"))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


def request(path: str = CHAT, body: bytes | None = None, **fields: Any) -> dict[str, Any]:
    given = {"model": "org/chat", "messages": [{"role": "user", "content": "hi"}], **fields}
    headers = [["content-type", "application/json"], ["x-request-id", "r1"], ["x-other", "secret"]]
    text = json.dumps(given).encode() if body is None else body
    return {"method": "POST", "path": path, "headers": headers, "body": text}


async def ask(server: SaaSServer, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    head, *parts = [part async for part in server.answer(asked)]
    assert isinstance(head, dict)
    assert all(isinstance(part, bytes) and part for part in parts)
    return head, b"".join(part for part in parts if isinstance(part, bytes))


def answer(*scripts: Script, asked: dict[str, Any] | None = None, **settings: Any) -> tuple[int, Any, Upstream]:
    """The status, the JSON and the service after one request."""

    async def run() -> tuple[int, Any, Upstream]:
        async with serving(*scripts, **settings) as (server, upstream):
            head, body = await ask(server, asked or request())
            assert KEY not in json.dumps(head) + body.decode()
            return head["status"], json.loads(body), upstream

    return asyncio.run(run())


def streamed(script: Script, asked: dict[str, Any] | None = None, **settings: Any) -> tuple[dict[str, Any], bytes]:
    """The head and the body of one streamed answer."""

    async def run() -> tuple[dict[str, Any], bytes]:
        async with serving(script, **settings) as (server, _):
            return await ask(server, asked or request(stream=True))

    return asyncio.run(run())


def test_a_request_goes_there_and_its_answer_comes_back_under_the_names_of_each_side() -> None:
    status, found, upstream = answer(completion, asked=request(temperature=0.5, unknown_field={"a": 1}))
    assert (status, found) == (200, {**ANSWER, "model": "org/chat"})
    [received] = upstream.received
    assert (received.method, received.path) == ("POST", CHAT)
    messages = [{"role": "user", "content": "hi"}]
    assert received.fields == {
        "model": "their-name",
        "messages": messages,
        "temperature": 0.5,
        "unknown_field": {"a": 1},
    }
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["x-request-id"] == "r1"
    assert "x-other" not in received.headers


def test_an_answer_is_byte_for_byte_the_service_s_but_for_the_name() -> None:
    async def odd(wire: Wire, received: Received) -> None:
        await wire.answer(b'{ "choices" : [],\n "model":"their-name", "x": 1.50 }')

    async def run() -> bytes:
        async with serving(odd) as (server, _):
            return (await ask(server, request()))[1]

    assert asyncio.run(run()) == b'{ "choices" : [],\n "model":"org/chat", "x": 1.50 }'


def test_a_name_further_inside_is_left_alone() -> None:
    async def nested(wire: Wire, received: Received) -> None:
        await wire.answer({"x": {"model": "inner"}, "model": "their-name"})

    assert answer(nested)[1] == {"x": {"model": "inner"}, "model": "org/chat"}


def test_a_stream_comes_as_it_is_and_each_event_at_once() -> None:
    events: list[Any] = [delta("he"), delta('l"model":"x"'), delta("lo", "stop")]

    async def run() -> None:
        goes_on = asyncio.Event()

        async def slow(wire: Wire, received: Received) -> None:
            await wire.head(content_type="text/event-stream")
            for event in events:
                await wire.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")
                await goes_on.wait()
            await wire.chunk(b"data: [DONE]\n\n")
            await wire.chunk(b"")

        async with serving(slow) as (server, _):
            parts = server.answer(request(stream=True))
            head = await anext(parts)
            assert isinstance(head, dict)
            assert (head["status"], dict(head["headers"])["content-type"]) == (200, "text/event-stream")
            first = await anext(parts)
            goes_on.set()
            rest = [part async for part in parts]
        text = b"".join(part for part in [first, *rest] if isinstance(part, bytes))
        renamed = [json.dumps({**event, "model": "org/chat"}) for event in events]
        assert text == "".join(f"data: {event}\n\n" for event in [*renamed, "[DONE]"]).encode()

    asyncio.run(run())


def test_headers_of_the_settings_take_the_place_of_the_key() -> None:
    headers = {"Authorization": "Basic x", "api-key": "${env:UPSTREAM_KEY}"}
    upstream = answer(completion, headers=headers)[2]
    assert upstream.received[0].headers["authorization"] == "Basic x"
    assert upstream.received[0].headers["api-key"] == KEY


def test_a_service_may_want_no_key() -> None:
    assert "authorization" not in answer(completion, api_key="")[2].received[0].headers


def test_a_form_gets_the_service_s_name_too() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\norg/chat\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\norg/chat\r\n--x--\r\n'
    )
    asked = request("/v1/audio/transcriptions", form)
    asked["headers"] = [["content-type", "multipart/form-data; boundary=x"]]
    [received] = answer(completion, asked=asked)[2].received
    assert received.body == form.replace(b'"model"\r\n\r\norg/chat', b'"model"\r\n\r\ntheir-name')


def test_sound_passes_through() -> None:
    async def sound(wire: Wire, received: Received) -> None:
        await wire.answer(b"\x00\x01", kind="audio/mpeg")

    async def run() -> None:
        async with serving(sound) as (server, _):
            head, body = await ask(server, request("/v1/audio/speech"))
            assert (head["headers"], body) == ([["content-type", "audio/mpeg"]], b"\x00\x01")

    asyncio.run(run())


def test_connections_are_kept_open() -> None:
    async def run() -> None:
        async with serving(completion, keep_open=True) as (server, upstream):
            for _ in range(3):
                assert (await ask(server, request()))[0]["status"] == 200
            assert (upstream.connections, len(upstream.received)) == (1, 3)

    asyncio.run(run())


# What is refused here.


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (request("/tokenize"), 404, "no `/tokenize`"),
        (request(body=b"{"), 400, "not JSON"),
        (request(body=b"[]"), 400, "not a JSON object"),
        ({**request(), "terms": {"max_input_tokens": 4}}, 501, "`max_input_tokens`"),
    ],
)
def test_what_nobody_outside_can_be_asked(asked: dict[str, Any], status: int, message: str) -> None:
    found, body, upstream = answer(completion, asked=asked)
    assert found == status
    assert message in body["error"]["message"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert upstream.received == []


# What the service refuses.


def refusing(status: int, value: Any, **headers: str) -> Script:
    async def script(wire: Wire, received: Received) -> None:
        await wire.answer(value, status, **headers)

    return script


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        (
            400,
            {"error": {"message": "bad", "type": "invalid_request_error", "param": "n", "code": "c"}},
            ("bad", "invalid_request_error", "n", "c"),
        ),
        (404, {"detail": "Not Found"}, ("Not Found", "upstream_error", None, 404)),
        (422, {"message": f"with {KEY}"}, ("with [hidden]", "upstream_error", None, 422)),
        (500, b"<html>Authorization: Bearer abc.def</html>", None),
        (400, [{"error": {"code": 400, "message": "from Google"}}], ("from Google", "upstream_error", None, "400")),
        (418, {"error": "a teapot"}, ("a teapot", "upstream_error", None, 418)),
        (400, {"error": {"detail": [1]}}, ("[1]", "upstream_error", None, 400)),
        (503, b"", ("the service gave no reason", "upstream_error", None, 503)),
    ],
)
def test_a_refusal_comes_back_in_one_shape(status: int, value: Any, expected: Any) -> None:
    found, body, _ = answer(refusing(status, value))
    assert found == status
    error = body["error"]
    if expected is None:
        assert error["message"] == "<html>Authorization: Bearer [hidden]</html>"
    else:
        assert (error["message"], error["type"], error["param"], error["code"]) == expected


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_is_the_cluster_s_and_not_the_client_s(status: int) -> None:
    found, body, _ = answer(refusing(status, {"error": {"message": f"Incorrect API key: {KEY[:7]}***cdef"}}))
    assert found == 502
    assert (body["error"]["type"], body["error"]["code"]) == ("upstream_refused_cluster", status)
    if status == 401:
        assert "cdef" not in body["error"]["message"]


def test_a_redirection_is_not_followed() -> None:
    assert answer(refusing(302, b"", location="http://elsewhere"))[0] == 502


# Whatever goes wrong on the way.


async def hangs(wire: Wire, received: Received) -> None:
    await wire.gone.wait()


async def hangs_after_its_head(wire: Wire, received: Received) -> None:
    await wire.head(content_type="application/json", content_length="100")
    await wire.send(b'{"id"')
    await wire.gone.wait()


async def half(wire: Wire, received: Received) -> None:
    await wire.head(content_type="application/json", content_length="100")
    await wire.send(b'{"id"')


async def closes(wire: Wire, received: Received) -> None:
    wire.writer.close()


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (hangs, 504, 504),
        (hangs_after_its_head, 504, 504),
        (half, 502, 502),
        (closes, 502, 502),
        (refusing(200, b"not json"), 502, "no_json"),
        (refusing(200, b"[1]"), 502, "no_json"),
        (refusing(200, b"[" * 99_999), 502, "no_json"),
        (refusing(500, b"[" * 99_999), 500, 500),
    ],
)
def test_what_is_no_answer_becomes_an_error(script: Script, status: int, code: Any) -> None:
    found, body, upstream = answer(script, idle_timeout_s=0.2)
    assert (found, body["error"]["code"]) == (status, code)
    # It may have been carried out, so it is not sent again.
    assert len(upstream.received) == 1


def test_a_page_is_no_answer() -> None:
    async def page(wire: Wire, received: Received) -> None:
        await wire.answer(b"<html>", kind="text/html")

    assert answer(page)[1]["error"]["code"] == "no_json"


def test_an_answer_in_drops_is_cut_off_at_the_end_of_its_time() -> None:
    async def drops(wire: Wire, received: Received) -> None:
        await wire.head(content_type="application/json")
        while not wire.gone.is_set():
            await wire.chunk(b" ")
            await asyncio.sleep(0.05)

    assert answer(drops, timeout_s=0.4)[0] == 504


def test_nobody_there_is_an_error_after_some_tries() -> None:
    async def run() -> None:
        async with serving(completion) as (server, upstream):
            server._settings = None
            gone = upstream.base_url
        await server.reconfigure(
            {"protocol": "openai", "base_url": gone, "model": "m", "timeout_s": 5, "idle_timeout_s": 2, "retries": 2}
        )
        head, body = await ask(server, request())
        assert (head["status"], json.loads(body)["error"]["code"]) == (502, "no_connection")
        await server.close()

    asyncio.run(run())


def test_what_asks_to_come_back_is_asked_again() -> None:
    busy, away = refusing(429, {}, retry_after="0"), refusing(503, {}, retry_after="0.01")
    status, _, upstream = answer(busy, away, completion)
    assert (status, len(upstream.received)) == (200, 3)


@pytest.mark.parametrize(
    ("script", "tries", "retry_after"),
    [
        (refusing(429, {}, retry_after="0.01"), 3, "1"),
        (refusing(429, {}), 1, None),
        (refusing(429, {}, retry_after="3600"), 1, "3600"),
        (refusing(500, {}, retry_after="0"), 1, "1"),
        (refusing(503, {}, retry_after="soon"), 1, None),
        (refusing(503, {}, retry_after="inf"), 1, None),
    ],
)
def test_what_does_not_or_not_soon_is_told_to_the_client(script: Script, tries: int, retry_after: str | None) -> None:
    async def run() -> None:
        async with serving(script) as (server, upstream):
            head, _ = await ask(server, request())
            assert dict(head["headers"]).get("retry-after") == retry_after
            assert len(upstream.received) == tries

    asyncio.run(run())


def test_a_stream_that_breaks_off_says_so_at_its_end() -> None:
    async def breaks(wire: Wire, received: Received) -> None:
        await wire.head(content_type="text/event-stream")
        await wire.chunk(b"data: " + json.dumps(delta("he")).encode() + b"\n\n")
        wire.writer.close()

    head, body = streamed(breaks)
    assert head["status"] == 200
    first, error, done = body.decode().strip().split("\n\n")
    assert '"he"' in first
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == 502
    assert done == "data: [DONE]"


def test_a_stream_that_just_ends_says_so_too() -> None:
    async def ends(wire: Wire, received: Received) -> None:
        await wire.events(delta("he"), done=False)

    assert '"incomplete_answer"' in streamed(ends)[1].decode()


def test_a_stream_without_a_mark_at_its_end_has_its_reason_to_end() -> None:
    async def ends(wire: Wire, received: Received) -> None:
        await wire.events(delta("he", "stop"), done=False)

    assert b"error" not in streamed(ends)[1]


def test_a_stream_that_hangs_ends_with_an_error() -> None:
    async def hangs_in_between(wire: Wire, received: Received) -> None:
        await wire.head(content_type="text/event-stream")
        await wire.chunk(b"data: " + json.dumps(delta("he")).encode() + b"\n\n")
        await wire.gone.wait()

    assert b'"timeout_error"' in streamed(hangs_in_between, idle_timeout_s=0.2)[1]


DEEP = b"data: " + b"[" * 99_999 + b"\n\n"


@pytest.mark.parametrize("garbage", [b"data: {\n\n", b"data: [1]\n\n", b"what is this\n\n", DEEP, b""])
def test_a_stream_of_something_else_is_an_error_before_it_begins(garbage: bytes) -> None:
    async def talks(wire: Wire, received: Received) -> None:
        await wire.answer(garbage, kind="text/event-stream")

    head, body = streamed(talks)
    if garbage:
        assert head["status"] == 502
    assert b'"error"' in body


def test_an_error_instead_of_a_stream_has_its_status() -> None:
    assert streamed(refusing(400, {"error": {"message": "bad"}}))[0]["status"] == 400


def test_a_client_that_goes_away_closes_the_connection() -> None:
    async def endless(wire: Wire, received: Received) -> None:
        await wire.head(content_type="text/event-stream")
        while not wire.gone.is_set():
            await wire.chunk(b"data: " + json.dumps(delta("x")).encode() + b"\n\n")
            await asyncio.sleep(0.01)

    async def run(leave: Callable[[Any], Any]) -> None:
        async with serving(endless) as (server, upstream):
            parts = server.answer(request(stream=True))
            for _ in range(3):
                await anext(parts)
            assert (await server.work())["ongoing"] == 1
            await leave(parts)
            await asyncio.wait_for(upstream.gone.wait(), 2)
            assert (await server.work())["ongoing"] == 0

    async def close(parts: Any) -> None:
        await parts.aclose()

    async def cancel(parts: Any) -> None:
        async def read() -> None:
            async for _ in parts:
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run(close))
    asyncio.run(run(cancel))


def test_a_client_that_goes_away_before_the_answer_does_too() -> None:
    async def run() -> None:
        async with serving(hangs) as (server, upstream):
            task = asyncio.create_task(ask(server, request()))
            while not upstream.received:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(upstream.gone.wait(), 2)

    asyncio.run(run())


# The replica itself.


def test_work_is_counted() -> None:
    async def run() -> None:
        async with serving(completion) as (server, _):
            assert (await server.work())["last_s"] is None
            await ask(server, request())
            found = await server.work()
            assert (found["replica"], found["requests"], found["ongoing"]) == ("r", 1, 0)
            assert 0 <= found["last_s"] <= found["watched_s"]

    asyncio.run(run())


def test_other_settings_are_taken_over_by_the_next_request() -> None:
    async def run() -> None:
        async with serving(completion) as (server, upstream), Upstream([completion]) as other:
            await server.reconfigure(
                {
                    "protocol": "openai",
                    "base_url": other.base_url + "/",
                    "model": "theirs",
                    "timeout_s": 5,
                    "idle_timeout_s": 2,
                    "retries": 0,
                }
            )
            await ask(server, request())
            assert (len(upstream.received), other.received[0].fields["model"]) == (0, "theirs")

    asyncio.run(run())


def test_a_replica_without_settings_is_not_healthy() -> None:
    async def run() -> None:
        server = SaaSServer("org/chat")
        with pytest.raises(RuntimeError, match="which service"):
            await server.check_health()
        head, _ = await ask(server, request())
        assert head["status"] == 503

    asyncio.run(run())


def test_a_variable_that_is_not_set_is_named_and_the_old_settings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(completion) as (server, _):
            await server.check_health()
            monkeypatch.delenv("UPSTREAM_KEY")
            with pytest.raises(LookupError, match=r"`UPSTREAM_KEY` is not set on this node but `saas\.api_key`"):
                await server.reconfigure({"api_key": "${env:UPSTREAM_KEY}"})
            assert (await ask(server, request()))[0]["status"] == 200

    asyncio.run(run())


def test_a_key_that_no_header_can_hold_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "one\ntwo")

    async def run() -> None:
        with pytest.raises(ValueError, match="`api_key` holds a line break") as raised:
            async with serving(completion):
                pass
        assert "two" not in str(raised.value)

    asyncio.run(run())


def test_a_line_break_at_the_end_of_a_key_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", f"{KEY}\n")
    assert answer(completion)[2].received[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_of_the_node_s_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with Upstream([completion]) as proxy:
            monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
            monkeypatch.setenv("no_proxy", "elsewhere.example")
            async with serving(completion, base_url="http://api.example/v1") as (server, upstream):
                assert (await ask(server, request()))[0]["status"] == 200
                assert (proxy.received[0].path, upstream.received) == (f"http://api.example{CHAT}", [])

    asyncio.run(run())
