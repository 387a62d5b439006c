"""Requests to llama.cpp's server in this process, and its answers as they come."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

PATHS = frozenset(
    {
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/rerank",
        "/v1/responses",
    }
)
"""What llama.cpp answers in the form that `vllm serve` has too. Its other paths are its own, or mean something else."""

_PASSED_ON = frozenset({"accept", "content-type", "x-request-id"})
_PASSED_BACK = ("content-type",)
_HEALTH_S = 10.0
_LOOK_S = 0.05


class LocalServer:
    """llama.cpp's server at an address of this node."""

    def __init__(self, address: str, key: str) -> None:
        """`key` is what it wants to be told."""
        self._address = address
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any] | bytes, None]:
        """The answer to a request (see `LlamaCppServer.answer`). Whoever closes the generator before its end has gone
        away: llama.cpp sees its connection closed and stops.
        """
        path = request["path"]
        if path not in PATHS:
            yield {"status": 404, "headers": [["content-type", "application/json"]]}
            yield error_body(404, f"There is no `{path}` for a model of llama.cpp", "not_found_error")
            return
        headers = {name: value for name, value in request["headers"] if name in _PASSED_ON}
        async with self._asked(request["method"], path, headers, request["body"]) as response:
            head = [[name, response.headers[name]] for name in _PASSED_BACK if name in response.headers]
            if response.status >= 400:
                text = in_openai_shape(response.status, await response.read())
                yield {"status": response.status, "headers": head}
                yield text
                return
            yield {"status": response.status, "headers": head}
            async for piece in response.content.iter_any():
                yield piece

    async def ask(self, path: str, fields: Mapping[str, Any]) -> tuple[int, Any]:
        """The status and the JSON of a question of our own."""
        headers = {"content-type": "application/json"}
        async with self._asked("POST", path, headers, json.dumps(fields).encode()) as response:
            return response.status, await response.json(content_type=None)

    async def check(self) -> None:
        """Raises RuntimeError when it does not answer, or not in time."""
        try:
            async with asyncio.timeout(_HEALTH_S), self._asked("GET", "/health", {}, b"") as response:
                if response.status != 200:
                    raise RuntimeError(f"llama.cpp says of its health: {response.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RuntimeError(f"llama.cpp does not answer: {type(error).__name__}") from error

    async def wait(self) -> None:
        """Returns when it answers. The model is loaded by then, and the server about to listen."""
        while True:
            try:
                return await self.check()
            except RuntimeError:
                await asyncio.sleep(_LOOK_S)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        if self._session is None:
            # A connection for each request: llama.cpp closes kept ones when it likes, and here they cost nothing.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            # Without time limits: how long an answer may take is for the gateway to say.
            timeout = aiohttp.ClientTimeout(total=None)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        authorized = {**headers, "authorization": f"Bearer {self._key}"}
        url = self._address + path
        response = await self._session.request(method, url, data=body or None, headers=authorized)
        try:
            yield response
        finally:
            # Not `release`: what is not read to its end is still being generated.
            response.close()


def error_body(status: int, message: str, kind: str = "invalid_request_error", param: str | None = None) -> bytes:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": kind, "param": param, "code": status}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


def in_openai_shape(status: int, text: bytes) -> bytes:
    """An error of llama.cpp, which leaves out `param`, with all that OpenAI's have."""
    try:
        error = json.loads(text)["error"]
        return error_body(status, error["message"], error["type"], error.get("param"))
    except (ValueError, KeyError, TypeError):
        return error_body(status, text.decode(errors="replace")[:600] or "no reason given", "server_error")
