"""Handles to the deployments of other applications."""

import asyncio
from collections.abc import Iterable
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from runtime.gateway.availability import NOT_DEPLOYED
from runtime.gateway.errors import unavailable
from runtime.gateway.route import Route


class Handles:
    """A handle for each route, kept for as long as the table names its deployment."""

    def __init__(self) -> None:
        self._handles: dict[tuple[str, str], DeploymentHandle[Any]] = {}

    def keep(self, routes: Iterable[Route]) -> None:
        """Forget the handles of all other routes."""
        named = {(route.application, route.deployment) for route in routes}
        self._handles = {key: handle for key, handle in self._handles.items() if key in named}

    async def get(self, route: Route) -> "DeploymentHandle[Any]":
        """The handle of a route, for calls that stream.

        Raises:
            GatewayError: 503, when there is no such deployment yet.
        """
        key = (route.application, route.deployment)
        handle = self._handles.get(key)
        if handle is None:
            # Asks Serve's controller whether there is one, so not in the loop.
            try:
                found = await asyncio.to_thread(serve.get_deployment_handle, route.deployment, route.application)
            except KeyError as error:
                raise unavailable(route.model_id, NOT_DEPLOYED) from error
            handle = self._handles[key] = found.options(stream=True)
        return handle
