"""The gateway's deployment: takes requests, finds the model that is meant, and passes on what it answers."""

import asyncio
import logging
from collections.abc import Mapping
from random import random
from typing import Any

from ray import serve
from ray.exceptions import RayActorError
from ray.serve.handle import DeploymentHandle
from starlette.requests import Request
from starlette.responses import Response

from runtime.gateway import incoming, multipart, traffic, work
from runtime.gateway.adapters import FoundAdapters
from runtime.gateway.availability import Availability
from runtime.gateway.catalogue import Catalogue
from runtime.gateway.code import Code, RayStore
from runtime.gateway.dispatch import Dispatch
from runtime.gateway.endpoints import ENDPOINTS, Endpoint
from runtime.gateway.errors import (
    GatewayError,
    internal,
    uncounted,
    unknown_path,
    wrong_method,
)
from runtime.gateway.handles import Handles
from runtime.gateway.incoming import Asked
from runtime.gateway.metrics import Measured, Metrics
from runtime.gateway.models import card, cards
from runtime.gateway.reply import RelayedReply, Reply, refusal
from runtime.gateway.settings import Settings

_COUNTING_S = 3.0
"""How long the replicas of the gateway may take to say what they counted."""

_EXACT = b"x-reconciler-exact"
"""A request with this header is answered by the model that it names, or not at all."""

_MODELS = "/v1/models"
_HEALTH = "/health"

_log = logging.getLogger("ray.serve")


class Gateway:
    """One replica of the gateway."""

    def __init__(self) -> None:
        """Know no model until `reconfigure` brings the table."""
        self._settings = Settings()
        self._handles = Handles()
        self._code = Code(RayStore())
        availability = Availability(serve.status, lambda: self._code.look_now())
        self._dispatch = Dispatch(self._handles, availability)
        self._catalogue = Catalogue(FoundAdapters(self._dispatch.adapters, availability.runs))
        self._traffic = traffic.Traffic()
        self._metrics = Metrics()

    async def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """Take new settings. Handles to deployments that the table still names are kept.

        Raises:
            KeyError, TypeError: they are wrong; the old ones stay.
        """
        self._settings = settings = Settings.parse(user_config)
        routes = settings.table.routes.values()
        self._handles.keep(routes)
        self._code.keep(route.package for route in routes if route.package)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path, method = request.scope["path"], request.method
        endpoint = ENDPOINTS.get(path)
        if endpoint is not None and method == "POST":
            return await self._measured(request, endpoint)
        try:
            if endpoint is not None:
                raise wrong_method(method, path)
            return await self._own(request, method, path)
        except GatewayError as error:
            return refusal(error)

    async def traffic_here(self) -> dict[str, Any]:
        """The requests that this replica has counted."""
        return self._traffic.report()

    async def _own(self, request: Request, method: str, path: str) -> Response:
        """What the gateway answers itself."""
        if path == _HEALTH and method == "GET":
            return Reply({"status": "ok"})
        settings = self._settings
        key = settings.keys.find(request.scope["headers"])
        if method != "GET":
            raise unknown_path(method, path)
        if path == _MODELS:
            return Reply(cards(await self._catalogue.all(settings.table, key)))
        if path.startswith(f"{_MODELS}/"):
            return Reply(card(await self._catalogue.one(path.removeprefix(f"{_MODELS}/"), settings.table, key)))
        if path == traffic.PATH:
            key.require_all()
            return Reply(await self._all_traffic())
        if path == work.PATH:
            key.require_all()
            return Reply(await work.work_of(settings.table.routes.values(), self._dispatch.work))
        raise unknown_path(method, path)

    async def _measured(self, request: Request, endpoint: Endpoint) -> Response:
        measured = self._metrics.begin()
        try:
            return await self._pass_on(request, endpoint, measured)
        except asyncio.CancelledError:
            measured.end(499)
            raise
        except GatewayError as error:
            refused = error
        except Exception as error:
            # Not its text, which may quote the request.
            _log.error("The gateway failed: %s", type(error).__name__)
            refused = internal()
        measured.end(refused.status)
        return refusal(refused)

    async def _pass_on(self, request: Request, endpoint: Endpoint, measured: Measured) -> Response:
        headers = request.scope["headers"]
        settings = self._settings
        key = settings.keys.find(headers)
        measured.asked_by(key.name)
        asked = await _read(request, endpoint, settings.limits.body_bytes)
        route = settings.table.find(asked.model, key)
        measured.asked_for(route.label)
        self._traffic.count(route.base_id, request.headers)
        # Who wants to know whether a model answers wants no other one to.
        attempts = [route] if incoming.header(headers, _EXACT) else settings.table.attempts(route, random)
        call = await self._dispatch.ask(asked, endpoint, attempts, route, settings.limits)
        measured.answers(call.route.label)
        return RelayedReply(call, asked.identifier, settings.limits.silence_s, measured)

    async def _all_traffic(self) -> dict[str, Any]:
        """The requests that all replicas of the gateway have counted.

        Raises:
            GatewayError: 503, when not all of them answer.
        """
        context = serve.get_replica_context()
        handle: DeploymentHandle[Any] = await asyncio.to_thread(
            serve.get_deployment_handle, context.deployment, context.app_name
        )
        try:
            reports = await handle.broadcast("traffic_here").results_async(timeout_s=_COUNTING_S)
        except (TimeoutError, RayActorError) as error:
            raise uncounted() from error
        return traffic.combined(reports)


async def _read(request: Request, endpoint: Endpoint, limit_bytes: int) -> Asked:
    headers = request.scope["headers"]
    body = await incoming.read_body(headers, request.stream(), limit_bytes)
    content_type = incoming.header(headers, b"content-type")
    fields: dict[str, Any] = {}
    if endpoint.multipart:
        model = multipart.find_model(content_type, body)
    else:
        model, fields = incoming.parse(body)
    identifier = incoming.request_id(headers)
    passed_on = incoming.passed_on(headers, identifier)
    return Asked(request.scope["path"], body, model, fields, content_type, passed_on, identifier)
