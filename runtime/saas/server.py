"""The deployment of one model that somebody else runs."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import ray
from ray import serve

from runtime.replica.work import Work
from runtime.saas.errors import SaaSError
from runtime.saas.http_service import HttpService
from runtime.saas.ledger import SharedLedger
from runtime.saas.renaming import question
from runtime.saas.service import Exchange, Part, Service
from runtime.saas.settings import Settings

_CHARACTERS_PER_TOKEN = 4
"""For a service that does not count: about what a token of English is."""


class SaaSServer:
    """One replica."""

    def __init__(self, model_id: str) -> None:
        """Know nothing of the service until `reconfigure` brings it. `model_id` is the name that clients know."""
        self._model_id = model_id
        self._settings: Settings | None = None
        self._service: Service = HttpService(model_id)
        self._ledger = SharedLedger(model_id)
        self._work = Work()

    async def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """Take over how the service is asked. Requests that are under way keep what they began with.

        Raises:
            LookupError: a variable that the settings refer to is not set on this node.
            RuntimeError: the provider needs LiteLLM, and this node does not have it.
        """
        settings = Settings.parse(user_config, os.environ)
        if self._settings is None or settings.protocol != self._settings.protocol:
            self._service = await _service(settings.protocol, self._model_id)
        self._settings = settings

    async def answer(self, request: Mapping[str, Any]) -> AsyncGenerator[Part, None]:
        """Answer one HTTP request: its head, `{"status": ..., "headers": ...}`, then the parts of its body."""
        with self._work.request():
            begun = streams = False
            try:
                async with aclosing(self._answer(request)) as parts:
                    async for part in parts:
                        if isinstance(part, dict):
                            begun, streams = True, _is_event_stream(part)
                        yield part
            except SaaSError as error:
                if not begun:
                    yield {"status": error.status, "headers": error.headers}
                    yield error.body
                elif streams:
                    yield error.event
                else:
                    raise

    async def close(self) -> None:
        """Let go of all connections."""
        await self._service.close()

    async def work(self) -> dict[str, Any]:
        """What this replica has had to do so far (`Work.report`), its id, `replica`, and what it runs, `about`."""
        replica = serve.get_replica_context().replica_id.unique_id
        return {"replica": replica, **self._work.report(), "about": {"ray": ray.__version__}}

    async def check_health(self) -> None:
        """Raises when the replica can serve no more. Whether the service answers is no question of this replica's
        health: another one would get the same answer.
        """
        if self._settings is None:
            raise RuntimeError("nothing says which service is asked")

    async def _answer(self, request: Mapping[str, Any]) -> AsyncGenerator[Part, None]:
        settings = self._settings
        if settings is None:
            raise SaaSError(503, "Nothing says which service is asked", type="service_unavailable")
        exchange = _exchange(request, settings)
        limits = settings.budget.limits
        if limits:
            refusal = await self._ledger.admit(limits)
            if refusal is not None:
                message = f"The budget of `{self._model_id}` is used up: {refusal.limit}"
                raise SaaSError(
                    429,
                    message,
                    type="insufficient_quota",
                    code="budget_exceeded",
                    retry_after_s=refusal.retry_after_s,
                )
        try:
            async with aclosing(self._service.ask(exchange)) as parts:
                async for part in parts:
                    yield part
        finally:
            if settings.budget.counts_tokens:
                self._ledger.add(settings.budget.spent(*_tokens(exchange)))


def _exchange(request: Mapping[str, Any], settings: Settings) -> Exchange:
    """The request as the service gets it.

    Raises:
        SaaSError: nobody outside can be asked this.
    """
    path = request["path"]
    if not path.startswith("/v1/"):
        message = f"There is no `{path}` for a model outside the cluster"
        raise SaaSError(404, message, type="invalid_request_error", code="not_found")
    if request.get("terms"):
        names = ", ".join(f"`{name}`" for name in sorted(request["terms"]))
        raise SaaSError(501, f"Only an engine with a tokenizer can keep to {names}", type="not_supported_error")
    headers = tuple((str(name), str(value)) for name, value in request["headers"])
    kind = dict(headers).get("content-type", "")
    body = question(request["body"], kind, settings.model, count_tokens=settings.budget.counts_tokens)
    deadline = asyncio.get_running_loop().time() + settings.timeout_s
    return Exchange(request["method"], path, headers, body, settings, deadline)


async def _service(protocol: str, model_id: str) -> Service:
    if protocol == "openai":
        return HttpService(model_id)
    from runtime.saas.litellm_service import LiteLLMService, load

    return LiteLLMService(model_id, await asyncio.to_thread(load))


def _is_event_stream(head: Mapping[str, Any]) -> bool:
    return any(name == "content-type" and value.startswith("text/event-stream") for name, value in head["headers"])


def _tokens(exchange: Exchange) -> tuple[int, int]:
    """Tokens of prompt and answer, as the service counted them, else as many as their texts have about."""
    usage = exchange.usage if isinstance(exchange.usage, Mapping) else {}
    prompt = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    answer = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    if prompt or answer:
        return prompt, answer
    if not exchange.characters:
        return 0, 0
    return len(exchange.question.body) // _CHARACTERS_PER_TOKEN, exchange.characters // _CHARACTERS_PER_TOKEN


def _count(value: Any) -> int:
    """What the service says, which can be anything."""
    return max(value, 0) if type(value) is int else 0
