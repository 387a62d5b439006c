"""A service with OpenAI's API: requests go there as they come, and answers come back as they are."""

import asyncio
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp
from yarl import URL

from runtime.saas.errors import SaaSError, upstream_error
from runtime.saas.events import EventStream
from runtime.saas.renaming import answer_for, fields_of_answer
from runtime.saas.retry import pause_asked_for, pause_before_connecting, retry_after
from runtime.saas.service import Exchange, Part

_CONNECT_S = 10.0
_KEPT_OPEN_S = 15.0
"""Shorter than services keep an idle connection: one that they close at the moment of a request is an error."""

_PASSED_ON = frozenset({"accept", "accept-language", "content-type", "openai-beta", "x-request-id"})
"""The headers of a client that are the service's business."""

_PASSED_BACK = ("content-type", "openai-processing-ms", "x-request-id")
_ERROR_BYTES = 64 * 1024
_ANSWER_BYTES = 256 * 1024 * 1024


class HttpService:
    """Asks over connections that are kept open."""

    def __init__(self, model_id: str) -> None:
        """`model_id` is the name that clients know."""
        self._model_id = model_id
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """See `Service.close`."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See `Service.ask`."""
        try:
            response = await self._send(exchange)
            try:
                async with aclosing(self._parts(response, exchange)) as parts:
                    async for part in parts:
                        yield part
            finally:
                # Not `release`: what is not read to its end is still being written there.
                response.close()
        except TimeoutError as error:
            raise SaaSError(504, "The service did not answer in time", type="timeout_error") from error
        except aiohttp.ClientError as error:
            raise SaaSError(502, f"The answer of the service broke off: {type(error).__name__}") from error

    async def _send(self, exchange: Exchange) -> aiohttp.ClientResponse:
        """The service's answer as soon as its head is there, unless that asks to come back soon."""
        now = asyncio.get_running_loop().time
        attempt = 0
        while True:
            may_retry = attempt < exchange.settings.retries
            try:
                response = await self._request(exchange, exchange.deadline - now())
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                pause = pause_before_connecting(attempt)
                if not may_retry or now() + pause >= exchange.deadline:
                    message = f"There is no connection to the service: {type(error).__name__}"
                    raise SaaSError(502, message, code="no_connection") from error
            else:
                asked_for = pause_asked_for(response.status, response.headers)
                if asked_for is None or not may_retry or now() + asked_for >= exchange.deadline:
                    return response
                response.close()
                pause = asked_for
            await asyncio.sleep(pause)
            attempt += 1

    async def _request(self, exchange: Exchange, remaining_s: float) -> aiohttp.ClientResponse:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_OPEN_S)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        settings = exchange.settings
        url = URL(str(settings.base_url).rstrip("/") + exchange.path.removeprefix("/v1"))
        timeout = aiohttp.ClientTimeout(
            total=max(remaining_s, 0.001),
            sock_connect=min(_CONNECT_S, settings.idle_timeout_s),
            sock_read=settings.idle_timeout_s,
        )
        return await self._session.request(
            exchange.method,
            url,
            data=exchange.question.body or None,
            headers=_headers(exchange),
            timeout=timeout,
            proxy=_proxy(url),
            allow_redirects=False,
        )

    async def _parts(self, response: aiohttp.ClientResponse, exchange: Exchange) -> AsyncGenerator[Part, None]:
        if response.status >= 400:
            content = await _beginning(response, _ERROR_BYTES)
            pause = retry_after(response.headers)
            raise upstream_error(response.status, content, exchange.settings.secrets, pause)
        if response.status >= 300:
            raise SaaSError(502, f"The service answered with a redirection ({response.status})")
        passed_back = [[name, response.headers[name]] for name in _PASSED_BACK if name in response.headers]
        head: Part = {"status": response.status, "headers": passed_back}
        kind = response.content_type
        if kind == "text/event-stream":
            async with aclosing(self._events(response, head, exchange)) as events:
                async for part in events:
                    yield part
        elif kind == "application/json" or kind.endswith("+json"):
            text = await _whole(response)
            found = fields_of_answer(text)
            exchange.usage = found.get("usage")
            exchange.characters = len(text)
            yield head
            yield answer_for(text, found, self._model_id)
        elif exchange.path.startswith("/v1/audio/"):
            yield head
            async for chunk in response.content.iter_any():
                yield chunk
        else:
            raise SaaSError(502, f"The service answered with `{kind}` instead of JSON", code="no_json")

    async def _events(
        self, response: aiohttp.ClientResponse, head: Part, exchange: Exchange
    ) -> AsyncGenerator[Part, None]:
        stream = EventStream(self._model_id, hide_usage=exchange.question.usage_added)
        begun = False
        try:
            async for chunk in response.content.iter_any():
                text = stream.feed(chunk)
                exchange.usage, exchange.characters = stream.usage, stream.characters
                if text and not begun:
                    begun = True
                    yield head
                if text:
                    yield text
            text = stream.close()
        except ValueError as error:
            raise SaaSError(502, f"The service answered with something else than events: {error}") from error
        if not begun:
            yield head
        if text:
            yield text
        if stream.half or not begun:
            raise SaaSError(502, "The service ended its answer before the end", code="incomplete_answer")


def _headers(exchange: Exchange) -> dict[str, str]:
    settings = exchange.settings
    headers = {name: value for name, value in exchange.headers if name in _PASSED_ON}
    if settings.api_key:
        headers["authorization"] = f"Bearer {settings.api_key}"
    return {**headers, **{name.lower(): value for name, value in settings.headers.items()}}


def _proxy(url: URL) -> str | None:
    """The proxy that the node's environment names for an address. Not aiohttp's own `trust_env`, which also sends what
    stands in a `.netrc`.
    """
    if urllib.request.proxy_bypass(url.host or ""):
        return None
    return urllib.request.getproxies().get(url.scheme)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    text = await _beginning(response, _ANSWER_BYTES)
    if len(text) >= _ANSWER_BYTES:
        raise SaaSError(502, "The service answers with more than anybody can have asked for", code="too_long")
    return text


async def _beginning(response: aiohttp.ClientResponse, size: int) -> bytes:
    """The body as far as `size` bytes, a little more or less."""
    parts: list[bytes] = []
    async for chunk in response.content.iter_any():
        parts.append(chunk)
        size -= len(chunk)
        if size <= 0:
            break
    return b"".join(parts)
