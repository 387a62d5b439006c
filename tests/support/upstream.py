"""A stand-in for a service outside the cluster: a server that answers as it is told, also as no decent server does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any, Self

ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "model": "their-name-2026",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}
"""What a chat completion is answered with."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> Any:
        """The JSON of its body."""
        return json.loads(self.body)


@dataclass(slots=True)
class Wire:
    """The connection of one request, to write an answer to."""

    writer: asyncio.StreamWriter
    gone: asyncio.Event

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, **headers: str) -> None:
        """A head; the body comes in chunks unless its `content_length` is given. Names have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if "content-length" not in named:
            named["transfer-encoding"] = "chunked"
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in named.items())]
        await self.send("\r\n".join([*lines, "", ""]).encode())

    async def chunk(self, data: bytes) -> None:
        """A chunk of a body; an empty one ends it."""
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def answer(self, value: Any, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """A whole answer: JSON, or bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        await self.head(status, content_type=kind, content_length=str(len(body)), **headers)
        await self.send(body)

    async def events(self, *events: Any, done: bool = True) -> None:
        """An event stream, each event in a chunk of its own."""
        await self.head(content_type="text/event-stream")
        for event in events:
            await self.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")
        if done:
            await self.chunk(b"data: [DONE]\n\n")
        await self.chunk(b"")


Script = Callable[[Wire, Received], Awaitable[None]]
"""Answers one request. The connection is closed where it returns, if it is not kept."""


async def completion(wire: Wire, received: Received) -> None:
    """The script of a decent service."""
    del received
    await wire.answer(ANSWER)


def delta(text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": "their-name-2026", "choices": [choice], **more}


@dataclass(slots=True)
class Upstream:
    """The server, while it is entered. A script takes its place in turn for each request; the last one stays."""

    scripts: list[Script]
    keep_open: bool = False
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether a client has closed its connection before it had its answer."""
    _server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        """Its address, with the version of the API."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (received := await _read(reader)) is not None:
                self.received.append(received)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                watch = asyncio.create_task(self._watch(reader))
                try:
                    await script(Wire(writer, self.gone), received)
                finally:
                    watch.cancel()
                if not self.keep_open:
                    return
        except (ConnectionError, asyncio.CancelledError):
            self.gone.set()
        finally:
            writer.close()

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        # A client that waits sends nothing: what comes is its end.
        if not await reader.read(1):
            self.gone.set()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body)


@contextmanager
def beside(*scripts: Script) -> Iterator[Upstream]:
    """The server in a thread of its own, for tests that do not run in an event loop."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def make() -> Upstream:
        return await Upstream(list(scripts), keep_open=True).__aenter__()

    async def end(upstream: Upstream) -> None:
        await upstream.__aexit__(None, None, None)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    upstream = asyncio.run_coroutine_threadsafe(make(), loop).result()
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(end(upstream), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
