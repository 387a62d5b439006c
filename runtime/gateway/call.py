"""One request to one model: begun, watched, passed on piece by piece, and given up when nobody wants it any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from runtime.gateway.availability import Availability
from runtime.gateway.errors import GatewayError, failed, overloaded, unavailable
from runtime.gateway.limits import Limits
from runtime.gateway.route import Route
from runtime.gateway.usage import END_BYTES

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentResponseGenerator

_log = logging.getLogger("ray.serve")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Call:
    """A model's answer of which the beginning is there."""

    def __init__(
        self, route: Route, responses: "DeploymentResponseGenerator[Any]", head: Mapping[str, Any], first: bytes | None
    ) -> None:
        """`head` and `first`, the first piece of the body, are the beginning; where `first` is None the body is empty.
        `responses` gives the rest."""
        self.route = route
        self.status: int = head["status"]
        self.headers: list[tuple[bytes, bytes]] = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"]
        ]
        self.end = b""
        """The end of a complete answer."""
        self._first = first
        self._responses = responses

    def give_up(self) -> None:
        """Stop the model."""
        _cancel(self._responses)

    async def relay(self, send: Send, silence_s: float) -> None:
        """Send the body, each piece as it comes; stops the model when that fails or is cancelled.

        Raises:
            GatewayError: the answer broke off, or paused for longer than `silence_s`. What came is sent.
        """
        loop = asyncio.get_running_loop()
        left = self._length()
        more = True
        piece = self._first
        before = last = b""
        try:
            async with asyncio.timeout(silence_s) as clock:
                while piece is not None:
                    left -= len(piece)
                    # Who knows the length has it all now, and need not wait until the call has ended.
                    more = left != 0
                    await send({"type": "http.response.body", "body": piece, "more_body": more})
                    before, last = last, piece
                    piece = await anext(self._responses, None)
                    clock.reschedule(loop.time() + silence_s)
        except BaseException as error:
            self.give_up()
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            if more:
                if isinstance(error, TimeoutError):
                    raise unavailable(self.route.model_id, f"its answer paused for {silence_s:g} seconds") from None
                raise _refusal(error, self.route) from None
        # Two pieces, because a short one may follow what says how many tokens a stream took.
        self.end = before[-END_BYTES:] + last[-END_BYTES:]
        if more:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _length(self) -> int:
        """What the head says about the body's length; -1 when it says nothing."""
        return next((int(value) for name, value in self.headers if name == b"content-length"), -1)


async def begin(
    ask: Callable[[], "DeploymentResponseGenerator[Any]"],
    route: Route,
    availability: Availability,
    limits: Limits,
    *,
    repeatable: bool,
) -> Call:
    """A call whose answer has begun. `ask` sends the request; it is sent once more where it is `repeatable` and the
    replica that had it is gone.

    Raises:
        GatewayError: the model did not begin to answer.
    """
    while True:
        responses = ask()
        begun = False
        try:
            head, first = await availability.watch(
                _opening(responses),
                # Set once the router has found a replica that accepts; Ray has no public name for it.
                lambda: responses._replica_result is not None,  # noqa: B023
                route,
                limits,
            )
            call = Call(route, responses, head, first)
            begun = True
            return call
        except RayActorError as error:
            if not repeatable:
                raise _refusal(error, route) from None
            repeatable = False
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise _refusal(error, route) from None
        except Exception as error:
            raise _refusal(error, route) from None
        finally:
            if not begun:
                _cancel(responses)


async def _opening(responses: "DeploymentResponseGenerator[Any]") -> tuple[Mapping[str, Any], bytes | None]:
    head = await anext(responses)
    return head, await anext(responses, None)


def _cancel(responses: "DeploymentResponseGenerator[Any]") -> None:
    # A call that has failed already raises its error once more (`_DeploymentResponseBase.cancel` of Ray 2.60).
    with suppress(Exception):
        responses.cancel()


def _is_cancelled() -> bool:
    """Whether it is this task that is cancelled, and not the one in the replica."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _refusal(error: BaseException, route: Route) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, BackPressureError):
        return overloaded(route.model_id, error.retry_after_s)
    if isinstance(error, DeploymentUnavailableError):
        return unavailable(route.model_id, "its application has been deleted or has failed")
    if isinstance(error, RayActorError):
        return unavailable(route.model_id, "the replica that had the request is gone", 1)
    # Not its text, which may quote the request; the replica's own log has that.
    _log.error("The engine of %s failed: %s", route.model_id, type(error).__name__)
    return failed(route.model_id)
