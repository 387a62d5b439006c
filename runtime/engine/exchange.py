"""One call of an ASGI application as a stream of its answer: the head, then the body as it comes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

Message = MutableMapping[str, Any]


class Receive(Protocol):
    """Where an application takes the request from, as ASGI says."""

    async def __call__(self) -> Message: ...


class Send(Protocol):
    """Where an application puts its answer."""

    async def __call__(self, message: Message, /) -> None: ...


class Application(Protocol):
    """An ASGI application."""

    async def __call__(self, scope: Message, receive: Receive, send: Send, /) -> None: ...


_log = logging.getLogger("ray.serve")

_GRACE_S = 5.0
"""How long an application that has not begun to answer may take to notice that nobody waits any more."""

_closing: set[asyncio.Task[None]] = set()
"""Applications that nobody reads from any more and that are not done yet; the event loop keeps no task alive."""


async def exchange(
    application: Application, request: Mapping[str, Any], pause_s: float = 0.0
) -> AsyncGenerator[dict[str, Any] | bytes, None]:
    """The answer of `application` to a request: first `{"status": int, "headers": [[name, value], ...]}`, then the body
    in pieces, none of them empty. What is there is given at once, in one piece, and then again no sooner than `pause_s`
    later; the end of the answer waits for nothing.

    `request` has `method`, `path`, `headers` (pairs of text, the names in lower case) and `body` (bytes). Whoever
    closes the generator before its end, or is cancelled in it, has gone away: the application is then stopped.

    Raises:
        Exception: what the application raised before its answer was complete.
    """
    call = _Call(request["body"])
    task = asyncio.ensure_future(application(_scope(request), call.receive, call.send))
    task.add_done_callback(call.ended)
    try:
        while call.head is None:
            if call.is_over:
                raise task.exception() or RuntimeError("the application ended without an answer")
            await call.news()
        yield call.head
        while True:
            if call.pieces:
                yield call.take()
                await call.pause(pause_s)
            elif call.is_complete:
                return
            elif call.is_over:
                raise task.exception() or RuntimeError("the application ended within its answer")
            else:
                await call.news()
    finally:
        call.disconnect()
        _closing.add(task)
        task.add_done_callback(_closed)
        if not call.is_complete:
            # vLLM runs what has no answer yet in a task of its own (`with_cancellation`), which hears of the disconnect
            # and stops it; a task that is merely cancelled would leave it running.
            asyncio.get_running_loop().call_later(_GRACE_S if call.head is None else 0, task.cancel)


class _Call:
    """What the application and the reader of its answer share."""

    def __init__(self, body: bytes) -> None:
        self.head: dict[str, Any] | None = None
        self.pieces: list[bytes] = []
        self.is_complete = False
        self.is_over = False
        """The application has returned, or failed."""
        self._body: bytes | None = body
        self._news = asyncio.Event()
        self._last = asyncio.Event()
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in message.get("headers", ())]
            self.head = {"status": message["status"], "headers": headers}
        elif message["type"] == "http.response.body":
            piece = message.get("body", b"")
            if piece:
                self.pieces.append(bytes(piece))
            if not message.get("more_body", False):
                self.is_complete = True
                self._gone.set()
                self._last.set()
        self._news.set()

    def ended(self, _: asyncio.Task[None]) -> None:
        self.is_over = True
        self._news.set()
        self._last.set()

    def disconnect(self) -> None:
        self._gone.set()

    async def news(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def pause(self, seconds: float) -> None:
        """Wait, but not for longer than the application says anything."""
        if seconds > 0 and not self._last.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._last.wait(), seconds)

    def take(self) -> bytes:
        taken = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        return taken


def _scope(request: Mapping[str, Any]) -> Message:
    path, _, query = request["path"].partition("?")
    return {
        "type": "http",
        # From 2.4 on a streaming response is stopped by whoever sends it, and needs no second task that listens.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request["method"],
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request["headers"]],
        "client": None,
        "server": None,
        "state": {},
    }


def _closed(task: asyncio.Task[None]) -> None:
    _closing.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        # Starlette raises what it has answered with 500, for its server to log. Not with its text, which may quote the
        # request; vLLM logs as much of it as it has been told to.
        _log.error("The engine's application failed: %s", type(error).__name__)
