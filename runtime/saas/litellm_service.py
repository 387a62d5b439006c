"""A service that does not speak OpenAI's API: LiteLLM translates.

LiteLLM is a large library of its own, and only models whose provider needs it load it: the nodes have it from
`runtime_env.pip` of the model or from their image.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import httpx

from runtime.saas.errors import SaaSError, bad_request, upstream_error
from runtime.saas.events import EventStream
from runtime.saas.renaming import fields_of
from runtime.saas.retry import pause_asked_for, pause_before_connecting, retry_after
from runtime.saas.service import Exchange, Part

_CALLS: Mapping[str, str] = {
    "/v1/chat/completions": "acompletion",
    "/v1/completions": "atext_completion",
    "/v1/embeddings": "aembedding",
}
"""The function of LiteLLM for each path."""

_BESIDE = frozenset({"stream", "thinking", "top_k"})
"""What LiteLLM translates beside the fields of OpenAI."""

_NOT_THEIRS = frozenset({"metadata", "model"})
"""`metadata` is what LiteLLM itself goes by in places."""


def load() -> Any:
    """LiteLLM, which takes seconds the first time. Raises RuntimeError when this node does not have it."""
    # Else it fetches a list of prices from the internet while it is imported.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as error:
        message = (
            "this provider is asked through LiteLLM, which this node does not have: write `runtime_env: {pip: "
            "[litellm]}` in the model's `engine_config`, or build it into the image"
        )
        raise RuntimeError(message) from error
    litellm.suppress_debug_info = True
    return litellm


def known_fields(path: str) -> frozenset[str]:
    """The fields of a request that are passed on: those that OpenAI's own client knows. LiteLLM also takes the address
    of the service as if it were a field of the request, and no client may say where our key is sent.
    """
    from openai.types import completion_create_params, embedding_create_params
    from openai.types.chat import completion_create_params as chat_params

    theirs: Any = {
        "/v1/chat/completions": chat_params.CompletionCreateParamsBase,
        "/v1/completions": completion_create_params.CompletionCreateParamsBase,
        "/v1/embeddings": embedding_create_params.EmbeddingCreateParams,
    }[path]
    return frozenset(theirs.__annotations__) - _NOT_THEIRS | _BESIDE


class LiteLLMService:
    """Asks through LiteLLM."""

    def __init__(self, model_id: str, litellm: Any) -> None:
        """`model_id` is the name that clients know."""
        self._model_id = model_id
        self._litellm = litellm

    async def close(self) -> None:
        """See `Service.close`. LiteLLM keeps its connections for all models of the process."""

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See `Service.ask`."""
        call = _CALLS.get(exchange.path)
        if call is None:
            message = f"`{exchange.path}` cannot be asked of this provider; there are {', '.join(_CALLS)}"
            raise SaaSError(404, message, type="invalid_request_error", code="not_found")
        answer = await self._answer(getattr(self._litellm, call), exchange)
        if exchange.question.stream:
            async with aclosing(self._events(answer, exchange)) as events:
                async for part in events:
                    yield part
            return
        found = answer.model_dump(mode="json", exclude_none=True)
        exchange.usage = found.get("usage")
        text = _json({**found, "model": self._model_id})
        exchange.characters = len(text)
        yield {"status": 200, "headers": [["content-type", "application/json"]]}
        yield text

    async def _answer(self, call: Any, exchange: Exchange) -> Any:
        settings, now = exchange.settings, asyncio.get_running_loop().time
        known = known_fields(exchange.path)
        fields = {name: value for name, value in fields_of(exchange.question.body).items() if name in known}
        ours = {"api_key": settings.api_key, "base_url": settings.base_url, "extra_headers": dict(settings.headers)}
        given = {
            **fields,
            **settings.options,
            **{key: value for key, value in ours.items() if value},
            "model": settings.model,
            "num_retries": 0,
            "max_retries": 0,
        }
        attempt = 0
        while True:
            remaining_s = exchange.deadline - now()
            patience_s = min(settings.idle_timeout_s, remaining_s) if exchange.question.stream else remaining_s
            try:
                return await asyncio.wait_for(call(**given, timeout=patience_s), patience_s)
            except TimeoutError as error:
                raise _too_late() from error
            except TypeError as error:
                raise bad_request(f"LiteLLM does not take this request: {error}") from error
            except Exception as error:
                pause = _pause(error, attempt)
                if pause is None or attempt >= settings.retries or now() + pause >= exchange.deadline:
                    raise self._told(error, exchange) from error
            await asyncio.sleep(pause)
            attempt += 1

    async def _events(self, answer: Any, exchange: Exchange) -> AsyncGenerator[Part, None]:
        stream = EventStream(self._model_id, hide_usage=exchange.question.usage_added)
        now = asyncio.get_running_loop().time
        begun = False
        chunks: AsyncIterator[Any] = aiter(answer)
        try:
            while True:
                patience_s = max(min(exchange.settings.idle_timeout_s, exchange.deadline - now()), 0.001)
                try:
                    chunk = await asyncio.wait_for(anext(chunks), patience_s)
                except StopAsyncIteration:
                    break
                event = b"data: " + _json(chunk.model_dump(mode="json", exclude_none=True)) + b"\n\n"
                text = stream.feed(event)
                exchange.usage, exchange.characters = stream.usage, stream.characters
                if not begun:
                    begun = True
                    yield {"status": 200, "headers": [["content-type", "text/event-stream; charset=utf-8"]]}
                if text:
                    yield text
        except TimeoutError as error:
            raise _too_late() from error
        except Exception as error:
            raise self._told(error, exchange) from error
        finally:
            await _close(answer)
        # LiteLLM ends a stream that broke off as if it were complete, but knows that it had heard no reason to end it.
        if stream.half or not begun or getattr(answer, "received_finish_reason", "unknown") is None:
            raise SaaSError(502, "The service ended its answer before the end", code="incomplete_answer")
        yield b"data: [DONE]\n\n"

    def _told(self, error: Exception, exchange: Exchange) -> SaaSError:
        """An exception of LiteLLM as an answer."""
        if isinstance(error, SaaSError):
            return error
        if isinstance(error, self._litellm.Timeout | httpx.TimeoutException):
            return _too_late()
        if _is_unconnected(error):
            return SaaSError(502, "There is no connection to the service", code="no_connection")
        status = getattr(error, "status_code", None)
        message = str(getattr(error, "message", None) or error)
        said = _json({"message": message, "code": getattr(error, "code", None), "param": getattr(error, "param", None)})
        known = status if isinstance(status, int) and 400 <= status < 600 else 502
        return upstream_error(known, said, exchange.settings.secrets, retry_after(_headers(error)))


def _too_late() -> SaaSError:
    return SaaSError(504, "The service did not answer in time", type="timeout_error")


def _pause(error: Exception, attempt: int) -> float | None:
    """Seconds until the request may be sent again; None where it must not be."""
    if _is_unconnected(error):
        return pause_before_connecting(attempt)
    return pause_asked_for(getattr(error, "status_code", 0), _headers(error))


def _is_unconnected(error: BaseException | None) -> bool:
    """Whether the request has never left: LiteLLM wraps what its clients raise."""
    while error is not None:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return True
        error = error.__cause__ or error.__context__
    return False


def _headers(error: Exception) -> Mapping[str, str]:
    found = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", None
    )
    return found if isinstance(found, Mapping) else {}


async def _close(answer: Any) -> None:
    close = getattr(answer, "aclose", None)
    if close is not None:
        await close()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()
