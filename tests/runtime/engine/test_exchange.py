"""An ASGI application's answer as a stream: nothing waits that could be sent, nothing is lost, and it ends at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from runtime.engine import exchange as module
from runtime.engine.exchange import exchange

REQUEST = {
    "method": "POST",
    "path": "/v1/echo?a=b",
    "headers": [["content-type", "application/json"], ["x-request-id", "r-1"]],
    "body": b'{"model": "m"}',
}


def start(status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}


def body(piece: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


def collect(application: Any) -> list[Any]:
    async def run() -> list[Any]:
        return [part async for part in exchange(application, REQUEST)]

    return asyncio.run(asyncio.wait_for(run(), 30))


def test_an_application_sees_the_request_as_it_was_sent() -> None:
    async def echo(request: Request) -> JSONResponse:
        seen = [request.method, request.url.path, request.query_params["a"], request.headers["x-request-id"]]
        return JSONResponse([*seen, (await request.body()).decode()], 201)

    head, piece = collect(Starlette(routes=[Route("/v1/echo", echo, methods=["POST"])]))
    assert head["status"] == 201
    assert ["content-type", "application/json"] in head["headers"]
    assert piece == b'["POST","/v1/echo","b","r-1","{\\"model\\": \\"m\\"}"]'


def test_an_answer_without_a_body_is_its_head() -> None:
    async def empty(scope: Any, receive: Any, send: Any) -> None:
        await send(start(204))
        await send(body(b"", more=False))

    assert collect(empty) == [{"status": 204, "headers": [["content-type", "text/plain"]]}]


def test_pieces_that_are_there_together_are_joined_and_others_are_not_waited_for() -> None:
    async def steps() -> list[Any]:
        more = asyncio.Event()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"a"))
            await send(body(b"b"))
            await more.wait()
            await send(body(b"c"))
            await send(body(b"", more=False))

        stream = exchange(application, REQUEST)
        await anext(stream)
        first = await asyncio.wait_for(anext(stream), 30)
        more.set()
        return [first, *[part async for part in stream]]

    assert asyncio.run(steps()) == [b"ab", b"c"]


LONG_S = 3600.0
"""A pause that no test lives to see."""


def test_the_first_piece_does_not_wait_and_those_within_a_pause_travel_together() -> None:
    async def steps() -> list[Any]:
        more = asyncio.Event()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"a"))
            await more.wait()
            for piece in (b"b", b"c", b"d"):
                await send(body(piece))
                await asyncio.sleep(0)
            # The end cuts the pause short.
            await send(body(b"", more=False))

        stream = exchange(application, REQUEST, LONG_S)
        await anext(stream)
        first = await asyncio.wait_for(anext(stream), 30)
        more.set()
        return [first, *[part async for part in stream]]

    assert asyncio.run(asyncio.wait_for(steps(), 30)) == [b"a", b"bcd"]


def test_an_error_cuts_a_pause_short() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"a"))
        await asyncio.sleep(0.01)
        raise ValueError("engine died")

    async def run() -> None:
        async for _ in exchange(broken, REQUEST, LONG_S):
            pass

    with pytest.raises(ValueError, match="engine died"):
        asyncio.run(asyncio.wait_for(run(), 30))


def test_pieces_come_one_by_one_when_pauses_are_short() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for piece in (b"a", b"b", b"c"):
            await send(body(piece))
            await asyncio.sleep(0.05)
        await send(body(b"", more=False))

    async def run() -> list[Any]:
        return [part async for part in exchange(application, REQUEST, 0.001)]

    assert asyncio.run(run())[1:] == [b"a", b"b", b"c"]


def test_the_head_does_not_wait_for_the_body() -> None:
    async def head() -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await asyncio.Event().wait()

        stream = exchange(application, REQUEST)
        found = await asyncio.wait_for(anext(stream), 30)
        await stream.aclose()
        return found

    assert asyncio.run(head())["status"] == 200


@pytest.mark.parametrize("said", [[], [start()], [start(), body(b"a")]])
def test_an_error_comes_after_what_came_before_it(said: list[Any]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        for message in said:
            await send(message)
        raise ValueError("engine died")

    seen: list[Any] = []

    async def run() -> None:
        async for part in exchange(broken, REQUEST):
            seen.append(part)

    with pytest.raises(ValueError, match="engine died"):
        asyncio.run(asyncio.wait_for(run(), 30))
    assert len(seen) == len(said)


@pytest.mark.parametrize("said", [[], [start()]])
def test_an_application_that_stops_early_is_an_error(said: list[Any]) -> None:
    async def lazy(scope: Any, receive: Any, send: Any) -> None:
        for message in said:
            await send(message)

    with pytest.raises(RuntimeError, match="the application ended"):
        collect(lazy)


def test_an_error_that_was_answered_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(request: Request) -> JSONResponse:
        raise LookupError("the client's secret words")

    async def run() -> list[Any]:
        application = Starlette(routes=[Route("/v1/echo", fails, methods=["POST"])])
        parts = [part async for part in exchange(application, REQUEST)]
        await asyncio.sleep(0)
        return parts

    with caplog.at_level("ERROR", logger="ray.serve"):
        head, piece = asyncio.run(run())
    assert (head["status"], piece) == (500, b"Internal Server Error")
    assert "LookupError" in caplog.text
    assert "secret words" not in caplog.text


async def closed(application: Callable[..., Awaitable[None]], parts: int, stopped: asyncio.Event) -> None:
    """Read so many parts, go away, and wait until the application has stopped."""
    stream = exchange(application, REQUEST)
    reader = asyncio.ensure_future(read(stream, parts))
    await asyncio.sleep(0.01)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await asyncio.wait_for(stopped.wait(), 30)


async def read(stream: Any, parts: int) -> None:
    try:
        for _ in range(parts):
            await anext(stream)
        await anext(stream)
    finally:
        await stream.aclose()


def test_who_goes_away_in_a_stream_stops_it_at_once() -> None:
    async def run() -> None:
        stopped = asyncio.Event()

        async def endless(request: Request) -> StreamingResponse:
            async def tokens() -> Any:
                try:
                    yield b"a"
                    await asyncio.Event().wait()
                finally:
                    stopped.set()

            return StreamingResponse(tokens())

        await closed(Starlette(routes=[Route("/v1/echo", endless, methods=["POST"])]), 2, stopped)

    asyncio.run(run())


def test_who_goes_away_before_the_answer_is_noticed_as_a_disconnect() -> None:
    async def run() -> None:
        stopped = asyncio.Event()

        async def listens(request: Request) -> JSONResponse:
            """As vLLM's `with_cancellation`: the work is a task of its own, stopped when the client disconnects."""
            await request.body()

            async def work() -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    stopped.set()

            async def listen() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass

            tasks = [asyncio.ensure_future(work()), asyncio.ensure_future(listen())]
            _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            return JSONResponse(None)

        await closed(Starlette(routes=[Route("/v1/echo", listens, methods=["POST"])]), 0, stopped)

    asyncio.run(run())


def test_an_application_that_does_not_listen_is_cancelled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 0.01)

    async def run() -> None:
        stopped = asyncio.Event()

        async def deaf(scope: Any, receive: Any, send: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        await closed(deaf, 0, stopped)

    asyncio.run(run())


def test_what_an_application_does_after_its_answer_is_not_cut_short() -> None:
    async def run() -> bool:
        done = asyncio.Event()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"a", more=False))
            await asyncio.sleep(0.01)
            done.set()

        parts = [part async for part in exchange(application, REQUEST)]
        assert parts[1:] == [b"a"]
        await asyncio.wait_for(done.wait(), 30)
        return done.is_set()

    assert asyncio.run(run())
