"""Refusing in time what nobody will answer: a handle to a deployment without a replica waits for ever."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from runtime.gateway.errors import too_slow, unavailable
from runtime.gateway.limits import Limits
from runtime.gateway.route import Route

if TYPE_CHECKING:
    from ray.serve.schema import ServeStatus

T = TypeVar("T")

_FIRST_LOOK_S = 1.0
"""How long a request may go unanswered before it is asked whether anybody is there to answer."""

_LATER_LOOKS_S = 5.0

NOT_DEPLOYED = "its application is not deployed"
"""Why a model that the table names is unavailable before it has been created."""


class Availability:
    """Whether a model's application can answer, asked of Serve only while a request waits for a replica."""

    def __init__(self, read: Callable[[], "ServeStatus"], absent: Callable[[], None] = lambda: None) -> None:
        """`read` is `ray.serve.status`; it is called in a thread, at most once a second. `absent` is told that a model
        is wanted of which no replica runs."""
        self._read = read
        self._absent = absent
        self._look: asyncio.Task[ServeStatus] | None = None
        self._looked_at = 0.0

    async def watch(
        self, opening: Coroutine[Any, Any, T], is_taken: Callable[[], bool], route: Route, limits: Limits
    ) -> T:
        """What `opening`, the beginning of the answer of the model at `route`, returns, as soon as it does. `is_taken`
        says whether a replica has the request.

        Raises:
            GatewayError: 503, when there is no replica and none is to be expected, or none came within `start_s` (a
                model scaled to zero is woken by the request itself), or all were busy for `queue_s`; 504, when the one
                that has the request did not begin to answer within `answer_s`.
        """
        pending = asyncio.ensure_future(opening)
        began, taken = time.monotonic(), None
        wait_s = min(_FIRST_LOOK_S, limits.start_s, limits.queue_s, limits.answer_s)
        try:
            while not (await asyncio.wait({pending}, timeout=wait_s))[0]:
                if is_taken():
                    taken = taken or time.monotonic()
                    left_s = taken + limits.answer_s - time.monotonic()
                    if left_s <= 0:
                        raise too_slow(route.model_id, limits.answer_s)
                else:
                    limit_s, reason = await self._outlook(pending, route, limits)
                    left_s = began + limit_s - time.monotonic()
                    if left_s <= 0 and not pending.done():
                        raise unavailable(route.model_id, reason)
                wait_s = max(0.0, min(_LATER_LOOKS_S, left_s))
            return pending.result()
        finally:
            pending.cancel()

    async def runs(self, route: Route) -> bool:
        """Whether a replica runs, as far as Serve says; False where it does not say."""
        look = self._current()
        await asyncio.wait({look})
        return look.exception() is None and running_replicas(look.result(), route) > 0

    async def _outlook(self, pending: "asyncio.Task[Any]", route: Route, limits: Limits) -> tuple[float, str]:
        """How long a request that no replica has may wait, and why no longer."""
        look = self._current()
        await asyncio.wait({pending, look}, return_when=asyncio.FIRST_COMPLETED)
        if not look.done() or look.exception() is not None:
            # A controller that cannot be asked now says nothing about the model.
            return max(limits.start_s, limits.queue_s), "no replica took the request in time"
        if not running_replicas(look.result(), route):
            self._absent()
        reason = why_unavailable(look.result(), route)
        if reason is not None:
            return 0.0, reason
        if running_replicas(look.result(), route):
            return limits.queue_s, "all its replicas are busy"
        return limits.start_s, "it is starting, and is not ready yet"

    def _current(self) -> "asyncio.Task[ServeStatus]":
        """Serve's status, not older than a second, shared by all requests that ask."""
        if self._look is None or (self._look.done() and time.monotonic() - self._looked_at > _FIRST_LOOK_S):
            self._look = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._looked_at = time.monotonic()
        return self._look


def running_replicas(status: "ServeStatus", route: Route) -> int:
    """How many replicas of the route's deployment run."""
    application = status.applications.get(route.application)
    deployment = application.deployments.get(route.deployment) if application else None
    return deployment.replica_states.get("RUNNING", 0) if deployment else 0


def why_unavailable(status: "ServeStatus", route: Route) -> str | None:
    """Why nobody will answer for `route`, or None when somebody does or soon will."""
    application = status.applications.get(route.application)
    if application is None:
        return NOT_DEPLOYED
    if running_replicas(status, route) or application.status == "RUNNING":
        return None
    return f"its application is {application.status.value} and no replica is running"
