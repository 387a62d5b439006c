"""The gateway in this process, in front of engines that are plain functions."""

import asyncio
import json
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.requests import Request

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from ray.serve.exceptions import BackPressureError

    from runtime.gateway import ingress
    from runtime.gateway.ingress import Gateway

__all__ = ["BackPressureError", "LocalGateway", "echo", "ingress", "saying"]

Answer = Callable[[Mapping[str, Any]], AsyncGenerator[Any, None]]
"""What an engine's `answer` is."""


class _Responses:
    """A running call, as a deployment handle shows it."""

    def __init__(self, parts: AsyncGenerator[Any, None]) -> None:
        self._parts = parts
        self._replica_result: Any = None

    async def __anext__(self) -> Any:
        self._replica_result = self
        return await anext(self._parts)

    def cancel(self) -> None:
        self._closing = asyncio.ensure_future(self._parts.aclose())


class _Handle:
    """A deployment handle."""

    def __init__(self, engine: Answer, found: Any, options: Mapping[str, Any] | None = None) -> None:
        self._engine = engine
        self._found = found
        self._options = options or {}
        self.answer = SimpleNamespace(remote=self._answer)
        self.adapters = SimpleNamespace(remote=self._adapters)

    def options(self, **options: Any) -> "_Handle":
        return _Handle(self._engine, self._found, {**self._options, **options})

    def _answer(self, request: Mapping[str, Any]) -> _Responses:
        return _Responses(self._engine({**request, **self._options}))

    async def _adapters(self) -> Any:
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


class LocalGateway:
    """A gateway with the engines of some models."""

    def __init__(self, **engines: Answer) -> None:
        """`engines` by model id. A model without one is not deployed."""
        self.gateway = Gateway()
        self.engines = engines
        self.found: dict[str, Any] = {}
        """By model id, the adapters that its engine finds below a path, or the error that it has there."""
        self.gateway._handles = self.gateway._dispatch._handles = self  # type: ignore[assignment]
        self.gateway._code = SimpleNamespace(keep=list, look_now=lambda: None)  # type: ignore[assignment]

    def configure(self, models: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> "LocalGateway":
        """Give it a `user_config`; `models` adds to the routes of the engines."""
        routes = {name: {"application": name, "deployment": f"LLMServer:{name}"} for name in self.engines}
        for name, more in (models or {}).items():
            routes[name] = {"application": name, "deployment": f"LLMServer:{name}", **more}
        asyncio.run(self.gateway.reconfigure({"models": routes, **settings}))
        return self

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request over HTTP."""

        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(self, raise_app_exceptions=False)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **request)

        return asyncio.run(asyncio.wait_for(run(), 60))

    def chat(self, model: str | None = None, **fields: Any) -> httpx.Response:
        """A chat request."""
        body = {"messages": [{"role": "user", "content": "Hello"}], **({"model": model} if model else {}), **fields}
        return self.ask("POST", "/v1/chat/completions", json=body)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The way of a request through a replica of Ray Serve."""
        response = await self.gateway(Request(scope, receive, send))
        await response(scope, receive, send)

    def keep(self, routes: Any) -> None:
        """As `runtime.gateway.handles.Handles` does it."""

    async def get(self, route: Any) -> Any:
        """As `runtime.gateway.handles.Handles` does it."""
        return _Handle(self.engines[route.base_id], self.found.get(route.base_id))


async def echo(request: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
    """An engine that answers with the request it got."""
    seen = {**request, "body": request["body"].decode("latin-1")}
    body = json.dumps(seen).encode()
    yield {"status": 200, "headers": [["content-type", "application/json"], ["content-length", str(len(body))]]}
    yield body


def saying(*parts: Any, status: int = 200, content_type: str = "text/event-stream") -> Answer:
    """An engine that always says the same: pieces of bytes, and errors that it raises."""

    async def answer(request: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        yield {"status": status, "headers": [["content-type", content_type]]}
        for part in parts:
            if isinstance(part, BaseException):
                raise part
            yield part

    return answer
