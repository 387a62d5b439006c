"""Refusing quickly what nobody can answer: a handle to a deployment that does not exist waits for ever."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from runtime.gateway.errors import unavailable
from runtime.gateway.table import Route

if TYPE_CHECKING:
    from ray.serve.schema import ServeStatus

_FIRST_LOOK_S = 1.0
"""How long a request may go unanswered before it is asked whether anybody is there to answer."""

_LATER_LOOKS_S = 5.0

NOT_DEPLOYED = "its application is not deployed"
"""Why a model that the table names is unavailable before it has been created."""


class Availability:
    """Whether a model's application can answer, asked of Serve only while a request waits for its first answer."""

    def __init__(self, read: Callable[[], "ServeStatus"]) -> None:
        """`read` is `ray.serve.status`; it is called in a thread, at most once a second."""
        self._read = read
        self._look: asyncio.Task[ServeStatus] | None = None
        self._looked_at = 0.0

    async def watch(self, responses: AsyncGenerator[Any, None], route: Route) -> AsyncGenerator[Any, None]:
        """`responses` of the model at `route`, unchanged and without delay.

        Raises:
            GatewayError: 503, when the first one does not come because there is no replica and none is to be expected.
                A model scaled to zero is woken by the request itself, so it is waited for.
        """
        first = asyncio.ensure_future(anext(responses))
        wait_s = _FIRST_LOOK_S
        try:
            while not (await asyncio.wait({first}, timeout=wait_s))[0]:
                look = self._current()
                await asyncio.wait({first, look}, return_when=asyncio.FIRST_COMPLETED)
                # A controller that cannot be asked now says nothing about the model.
                if not first.done() and look.exception() is None:
                    reason = why_unavailable(look.result(), route)
                    if reason is not None:
                        raise unavailable(route.model_id, reason)
                wait_s = _LATER_LOOKS_S
        except BaseException:
            first.cancel()
            raise
        yield await first
        async for response in responses:
            yield response

    def _current(self) -> "asyncio.Task[ServeStatus]":
        """Serve's status, not older than a second, shared by all requests that ask."""
        if self._look is None or (self._look.done() and time.monotonic() - self._looked_at > _FIRST_LOOK_S):
            self._look = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._looked_at = time.monotonic()
        return self._look


def why_unavailable(status: "ServeStatus", route: Route) -> str | None:
    """Why nobody will answer for `route`, or None when somebody does or soon will."""
    application = status.applications.get(route.application)
    if application is None:
        return NOT_DEPLOYED
    deployment = application.deployments.get(route.deployment)
    if deployment is not None and deployment.replica_states.get("RUNNING", 0):
        return None
    if application.status == "RUNNING":
        return None
    return f"its application is {application.status.value} and no replica is running"
