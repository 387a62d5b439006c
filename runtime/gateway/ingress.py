"""The gateway's deployment: Ray's OpenAI ingress, routing to the deployments of other applications."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ray import serve
from ray.exceptions import RayActorError
from ray.llm._internal.serve.core.configs.openai_api_models import ModelCard
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from ray.serve.llm.ingress import OpenAiIngress
from starlette.requests import Request

from runtime.gateway.availability import NOT_DEPLOYED, Availability
from runtime.gateway.errors import model_not_found, unavailable
from runtime.gateway.generation import fill
from runtime.gateway.table import Route, RoutingTable

_GENERATION_CALLS = frozenset({"chat", "completions"})


class Gateway(OpenAiIngress):
    """One replica of the gateway."""

    def __init__(self) -> None:
        """Know no model until `reconfigure` brings the table."""
        super().__init__({}, {})
        self._table = RoutingTable({})
        self._handles: dict[tuple[str, str], DeploymentHandle] = {}
        self._availability = Availability(serve.status)

    async def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """Take a new routing table. Handles to deployments that it still names are kept.

        Raises:
            KeyError: a route lacks its application or its deployment; the old table stays.
        """
        self._table = table = RoutingTable.parse(user_config)
        self._model_cards = {model_id: _card(route) for model_id, route in table.routes.items()}
        named = {(route.application, route.deployment) for route in table.routes.values()}
        self._handles = {key: handle for key, handle in self._handles.items() if key in named}

    async def model(self, model_id: str) -> ModelCard | None:
        """What `/v1/models` says about a model, by id or alias."""
        route = self._table.get(model_id)
        return self._model_cards[route.model_id] if route else None

    async def model_data(self, model: str) -> ModelCard:
        """What `/v1/models/{model}` answers.

        Raises:
            GatewayError: there is no such model.
        """
        card = await self.model(model)
        if card is None:
            raise model_not_found(model, self._table.routes)
        return card

    async def _get_model_id(self, model: str | None) -> str:
        return self._table.find(model).model_id

    def _get_configured_serve_handle(self, model_id: str) -> DeploymentHandle:
        route = self._table.find(model_id)
        return self._handles[route.application, route.deployment]

    async def _open(self, route: Route) -> None:
        """Have a handle to the route's deployment; asks Serve's controller whether there is one, so not in the loop."""
        key = (route.application, route.deployment)
        if key in self._handles:
            return
        try:
            handle = await asyncio.to_thread(serve.get_deployment_handle, route.deployment, app_name=route.application)
        except KeyError as error:
            raise unavailable(route.model_id, NOT_DEPLOYED) from error
        self._handles[key] = handle.options(stream=True)

    async def _get_response(self, *, body: Any, call_method: str, raw_request: Request) -> AsyncGenerator[Any, None]:
        route = self._table.find(body.model)
        body.model = route.model_id
        if call_method in _GENERATION_CALLS:
            fill(body, await raw_request.json(), route)
        await self._open(route)
        responses = super()._get_response(body=body, call_method=call_method, raw_request=raw_request)
        try:
            async for response in self._availability.watch(responses, route):
                yield response
        except BackPressureError as error:
            raise unavailable(route.model_id, "too many requests are waiting", error.retry_after_s or 1) from error
        except DeploymentUnavailableError as error:
            raise unavailable(route.model_id, "its application has been deleted or has failed") from error
        except RayActorError as error:
            raise unavailable(route.model_id, "the replica that had the request is gone", 1) from error


def _card(route: Route) -> ModelCard:
    return ModelCard(
        id=route.model_id,
        object="model",
        owned_by=route.model_id.partition("/")[0],
        permission=[],
        metadata=dict(route.metadata),
    )
