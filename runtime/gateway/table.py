"""The routing table: which application serves a model, and what its requests get."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runtime.gateway.adapters import found_adapter, named_adapters
from runtime.gateway.errors import model_not_found, model_required
from runtime.gateway.keys import ANYBODY, Key
from runtime.gateway.route import SEPARATOR, Canary, Route


class RoutingTable:
    """Every model that the gateway knows, by id and by alias. Immutable."""

    def __init__(self, routes: Mapping[str, Route], adapters: Iterable[Route] = ()) -> None:
        """`routes` of models, by their ids; `adapters` are the routes of theirs."""
        self.routes = dict(routes)
        self._adapters = {route.model_id: route for route in adapters}
        aliases = {alias: route for route in self._all() for alias in route.aliases}
        self._names = aliases | self._adapters | self.routes

    @classmethod
    def parse(cls, models: Mapping[str, Mapping[str, Any]]) -> "RoutingTable":
        """The table in the gateway's `user_config`; keys it does not know are for others to read.

        Raises:
            KeyError: a route lacks its application or its deployment.
        """
        routes = {model_id: _route(model_id, entry) for model_id, entry in models.items()}
        adapters = [
            adapter
            for model_id, entry in models.items()
            for adapter in named_adapters(routes[model_id], entry.get("adapters") or {})
        ]
        return cls(routes, adapters)

    def allowed(self, key: Key) -> list[Route]:
        """The models that a key may ask for, and the adapters that the table names."""
        return [route for route in self._all() if key.allows(route.model_id)]

    def find(self, model: str | None, key: Key = ANYBODY) -> Route:
        """The route of the model that a request names; of the only one that its key allows when it names none.

        Raises:
            GatewayError: there is no such model, or none was named and there are several.
        """
        if model is None:
            allowed = [route for route in self.allowed(key) if route.adapter is None]
            if len(allowed) != 1:
                raise model_required(route.model_id for route in allowed)
            return allowed[0]
        route = self._names.get(model) or self._found(model)
        if route is None or not key.allows(route.model_id):
            # What a key may not ask for does not exist for it.
            raise model_not_found(model, [route.model_id for route in self.allowed(key)])
        return route

    def _all(self) -> list[Route]:
        return [*self.routes.values(), *self._adapters.values()]

    def _found(self, model: str) -> Route | None:
        """An adapter that the engine may find below a path, or any one behind an alias of its model."""
        name, _, adapter = model.partition(SEPARATOR)
        route = self._names.get(name) if adapter else None
        if route is None or route.adapter is not None:
            return None
        named = self._adapters.get(f"{route.model_id}{SEPARATOR}{adapter}")
        return named or (found_adapter(route, adapter) if route.finds_adapters else None)

    def attempts(self, route: Route, chance: Callable[[], float]) -> list[Route]:
        """The routes that a request for this model goes to, the next one when the one before cannot answer. `chance`
        is evenly distributed from 0 to 1. A model that the table does not hold, yet or any more, is left out."""
        if route.adapter is not None:
            return [route]
        canary = route.canary
        first = [canary.model_id] if canary is not None and chance() * 100 < canary.percent else []
        last = [route.fallback] if route.fallback is not None else []
        # A canary that cannot answer is no reason not to.
        names = dict.fromkeys([*first, route.model_id, *last])
        return [self.routes[name] for name in names if name in self.routes]


def _route(model_id: str, entry: Mapping[str, Any]) -> Route:
    kind = entry.get("kind", "generation")
    described = {"kind": kind, "description": entry.get("description"), "url": entry.get("url")}
    canary = entry.get("canary")
    return Route(
        model_id=model_id,
        application=entry["application"],
        deployment=entry["deployment"],
        kind=kind,
        aliases=tuple(entry.get("aliases") or ()),
        defaults=dict(entry.get("defaults") or {}),
        stop=tuple(entry.get("stop") or ()),
        stop_token_ids=tuple(entry.get("stop_token_ids") or ()),
        stop_token_sequences=tuple(tuple(sequence) for sequence in entry.get("stop_token_sequences") or ()),
        max_input_tokens=entry.get("max_input_tokens"),
        max_output_tokens=entry.get("max_output_tokens"),
        chat=entry.get("chat", True),
        canary=Canary(canary["model"], canary["percent"]) if canary else None,
        fallback=entry.get("fallback"),
        package=entry.get("package"),
        finds_adapters=bool(entry.get("lora_path")),
        metadata={key: value for key, value in described.items() if value is not None},
    )
