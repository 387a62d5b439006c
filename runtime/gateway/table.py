"""The routing table: which application serves a model, and what its requests get by default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.gateway.errors import model_not_found, model_required


@dataclass(frozen=True, slots=True)
class Route:
    """One model."""

    model_id: str
    application: str
    deployment: str
    kind: str
    """`generation` or `embedding`."""
    aliases: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that a request gets where it leaves them out."""
    stop: tuple[str, ...] = ()
    """Stop strings that every request gets beside its own."""
    stop_token_ids: tuple[int, ...] = ()
    """Stop token ids that every request gets beside its own."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What `/v1/models` says about it."""


class RoutingTable:
    """Every model that the gateway knows, by id and by alias. Immutable."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        """`routes` by model id."""
        self.routes = dict(routes)
        aliases = {alias: route for route in self.routes.values() for alias in route.aliases}
        self._names = aliases | self.routes

    @classmethod
    def parse(cls, user_config: Mapping[str, Any]) -> "RoutingTable":
        """The table in the gateway's `user_config`; keys it does not know are for others to read.

        Raises:
            KeyError: a route lacks its application or its deployment.
        """
        models: Mapping[str, Mapping[str, Any]] = user_config.get("models") or {}
        return cls({model_id: _route(model_id, entry) for model_id, entry in models.items()})

    def find(self, model: str | None) -> Route:
        """The route of the model that a request names; of the only model there is when it names none.

        Raises:
            GatewayError: there is no such model, or none was named and there are several.
        """
        if model is None:
            if len(self.routes) != 1:
                raise model_required(self.routes)
            return next(iter(self.routes.values()))
        route = self._names.get(model)
        if route is None:
            raise model_not_found(model, self.routes)
        return route

    def get(self, model: str) -> Route | None:
        """The route of a model by id or alias."""
        return self._names.get(model)


def _route(model_id: str, entry: Mapping[str, Any]) -> Route:
    kind = entry.get("kind", "generation")
    described = {"kind": kind, "description": entry.get("description"), "url": entry.get("url")}
    return Route(
        model_id=model_id,
        application=entry["application"],
        deployment=entry["deployment"],
        kind=kind,
        aliases=tuple(entry.get("aliases") or ()),
        defaults=dict(entry.get("defaults") or {}),
        stop=tuple(entry.get("stop") or ()),
        stop_token_ids=tuple(entry.get("stop_token_ids") or ()),
        metadata={key: value for key, value in described.items() if value is not None},
    )
