"""Adapters: each is one more model for clients, which the deployment of the model that it adapts answers for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from runtime.gateway.route import SEPARATOR, Route

_FRESH_S = 30.0
"""How long a list of what lies below a path holds."""
_LIMIT_S = 3.0
"""How long a replica may take to list it."""


def named_adapters(route: Route, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Route]:
    """The routes of the adapters that the table names for a model. What an entry does not say is as for the model."""
    for adapter_id, entry in entries.items():
        described = {"kind": route.kind, "description": entry.get("description")}
        yield replace(
            found_adapter(route, adapter_id),
            is_named=True,
            aliases=tuple(entry.get("aliases") or ()),
            defaults=dict(entry["defaults"]) if "defaults" in entry else route.defaults,
            **_stops(entry),
            metadata={key: value for key, value in described.items() if value is not None},
        )


def _stops(entry: Mapping[str, Any]) -> dict[str, Any]:
    """All the stops of an adapter that has its own."""
    if "stop" not in entry:
        return {}
    return {
        "stop": tuple(entry["stop"]),
        "stop_token_ids": tuple(entry.get("stop_token_ids") or ()),
        "stop_token_sequences": tuple(tuple(sequence) for sequence in entry.get("stop_token_sequences") or ()),
    }


def found_adapter(route: Route, adapter_id: str) -> Route:
    """The route of an adapter that the table does not name, and of which only the engine knows whether it is there."""
    # Another model that answers instead has adapters of its own, or none.
    return replace(
        route,
        model_id=f"{route.model_id}{SEPARATOR}{adapter_id}",
        adapter=adapter_id,
        is_named=False,
        aliases=(),
        canary=None,
        fallback=None,
        finds_adapters=False,
        metadata={"kind": route.kind},
    )


class FoundAdapters:
    """Which adapters engines have found below a path, asked of a replica now and then."""

    def __init__(
        self, ask: Callable[[Route], Awaitable[Iterable[str]]], runs: Callable[[Route], Awaitable[bool]]
    ) -> None:
        """`ask` asks a replica of the route's deployment for the ids, `runs` whether there is one: a question would
        wake a model that is scaled to zero."""
        self._ask = ask
        self._runs = runs
        self._known: dict[str, tuple[str, ...]] = {}
        self._known_since: dict[str, float] = {}

    async def below(self, routes: Iterable[Route]) -> list[Route]:
        """The routes of all that are known, of these models. What cannot be asked now has what it had before."""
        finding = [route for route in routes if route.finds_adapters]
        found = await asyncio.gather(*map(self._ids, finding))
        return [found_adapter(route, each) for route, ids in zip(finding, found, strict=True) for each in ids]

    async def _ids(self, route: Route) -> tuple[str, ...]:
        since = self._known_since.get(route.model_id)
        if since is None or time.monotonic() - since > _FRESH_S:
            try:
                async with asyncio.timeout(_LIMIT_S):
                    if await self._runs(route):
                        self._known[route.model_id] = tuple(await self._ask(route))
            except Exception:
                # What is wrong with the path the engine says to whoever asks for one of them, and in its log.
                pass
            self._known_since[route.model_id] = time.monotonic()
        return self._known.get(route.model_id, ())
