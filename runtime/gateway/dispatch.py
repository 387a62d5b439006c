"""Asking the deployments of models: for an answer, for what they have to do, for their adapters."""

from collections.abc import Mapping
from typing import Any

from runtime.gateway.availability import Availability
from runtime.gateway.call import Call, begin
from runtime.gateway.endpoints import Endpoint
from runtime.gateway.errors import GatewayError, failed
from runtime.gateway.handles import Handles
from runtime.gateway.incoming import Asked
from runtime.gateway.limits import Limits
from runtime.gateway.outgoing import outgoing
from runtime.gateway.route import Route


class Dispatch:
    """The way to the models."""

    def __init__(self, handles: Handles, availability: Availability) -> None:
        """`availability` tells whether anybody will answer."""
        self._handles = handles
        self._availability = availability

    async def ask(self, asked: Asked, endpoint: Endpoint, attempts: list[Route], meant: Route, limits: Limits) -> Call:
        """The answer of the first of the models in `attempts` that has one. `meant` is the one that the client named.

        Raises:
            GatewayError: none has; why `meant` has none.
        """
        refused: GatewayError | None = None
        for attempt in attempts:
            try:
                call = await self._ask_one(asked, endpoint, attempt, limits)
            except GatewayError as error:
                if refused is None or attempt is meant:
                    refused = error
                # A canary whose queue is full leaves the request to the model; the request itself is all right.
                if error.status < 500 and (attempt is meant or error.status != 429):
                    break
                continue
            if call.status < 500 or attempt is attempts[-1]:
                return call
            call.give_up()
            refused = failed(attempt.model_id)
        raise refused or failed(meant.model_id)

    async def adapters(self, route: Route) -> list[str]:
        """The adapters that a replica finds."""
        handle = await self._handles.get(route)
        found: list[str] = await handle.options(stream=False).adapters.remote()
        return found

    async def work(self, route: Route) -> list[Mapping[str, Any]]:
        """What each replica has had to do."""
        handle = await self._handles.get(route)
        reports: list[Mapping[str, Any]] = await handle.broadcast("work").results_async()
        return reports

    async def _ask_one(self, asked: Asked, endpoint: Endpoint, route: Route, limits: Limits) -> Call:
        request = outgoing(asked, endpoint, route)
        handle = await self._handles.get(route)
        if not route.is_named:
            # Not every replica has it: one that does is asked first.
            handle = handle.options(multiplexed_model_id=route.model_id)
        return await begin(
            lambda: handle.answer.remote(request),
            route,
            self._availability,
            limits,
            repeatable=endpoint.repeatable,
        )
