"""The LoRA adapters of one replica: those that its settings name, and those that requests find below a path."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from runtime.engine.adapter import Adapter, Engine, Fetch
from runtime.engine.adapter_source import AdapterSource, sources
from runtime.engine.found import Found

_MOST = 16
"""Adapters below the path that are in the engine at a time, where the settings do not say; Ray's own default."""

_RETRY_S = 30.0
"""Seconds after which one that could not be loaded is tried again, for a request that wants it."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
"""Ids that are looked for below a path: none leads out of it."""


class UnknownAdapter(Exception):
    """There is no adapter of that id."""


Multiplexed = Callable[..., Callable[[Callable[[str], Awaitable[str]]], Callable[[str], Awaitable[str]]]]


class Adapters:
    """Every adapter that one replica answers for. Its methods are called in one event loop."""

    def __init__(self, model_id: str, engine: Engine, fetch: Fetch, multiplexed: Multiplexed) -> None:
        """`multiplexed` is `ray.serve.multiplexed`: routers send requests for an adapter to a replica that has it."""
        self._model_id = model_id
        self._engine = engine
        self._fetch = fetch
        self._multiplexed = multiplexed
        self._named: dict[str, Adapter] = {}
        """Those of the settings."""
        self._called: dict[str, Adapter] = {}
        """Those that requests asked for, the least recently used first."""
        self._leaving: dict[str, Adapter] = {}
        self._below: Found | None = None
        self._most = 0
        self._tell: Callable[[str], Awaitable[str]] = _itself

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take settings over: `adapters` (by id, `source` and perhaps `revision`), `dynamic_lora_loading_path` and
        `max_num_adapters_per_replica`. What is new loads in the background, what is gone leaves after its last request.

        It never raises: an exception would stop the replica (`ray.serve._private.deployment_state`), for the sake of an
        adapter.
        """
        wanted = sources(settings.get("adapters") or {})
        for adapter_id, adapter in list(self._named.items()):
            if wanted.get(adapter_id) != adapter.source:
                self._retire(self._named, adapter_id)
        path = (settings.get("dynamic_lora_loading_path") or "").rstrip("/") or None
        for adapter_id in list(self._called):
            if adapter_id in wanted or self._below is None or self._below.path != path:
                self._retire(self._called, adapter_id)
        self._look_below(path, settings.get("max_num_adapters_per_replica") or _MOST)
        for adapter_id, source in wanted.items():
            if adapter_id not in self._named:
                self._named[adapter_id] = self._start(adapter_id, source)

    @asynccontextmanager
    async def used(self, adapter_id: str) -> AsyncIterator[None]:
        """One request for an adapter, from when the engine can answer it until it has.

        Raises:
            UnknownAdapter: there is none.
            WeightsError: it cannot be loaded, or nobody can say whether there is one.
        """
        if adapter_id not in self._named:
            if not self._is_called(adapter_id) and not await self._is_found(adapter_id):
                raise UnknownAdapter(adapter_id)
            await self._tell(self._name(adapter_id))
        # From here on nothing is awaited until the adapter is in use: nobody can take it away.
        async with self._ready(adapter_id).used():
            yield

    async def ids(self) -> tuple[str, ...]:
        """The ids below the path, sorted, not older than half a minute. Raises `WeightsError` where it cannot be
        read."""
        return await self._below.ids() if self._below else ()

    def report(self) -> dict[str, dict[str, Any]]:
        """What there is to say of each adapter that is or should be in the engine (`Adapter.report`), by id."""
        return {adapter_id: adapter.report() for adapter_id, adapter in sorted({**self._called, **self._named}.items())}

    def _is_called(self, adapter_id: str) -> bool:
        adapter = self._called.get(adapter_id)
        return adapter is not None and adapter.failed_at is None

    async def _is_found(self, adapter_id: str) -> bool:
        return self._below is not None and bool(_ID.fullmatch(adapter_id)) and await self._below.has(adapter_id)

    def _ready(self, adapter_id: str) -> Adapter:
        """The adapter, on its way into the engine at least; one that failed long enough ago is begun anew, because its
        store may be back."""
        adapters = self._named if adapter_id in self._named else self._called
        adapter = adapters.get(adapter_id)
        if adapter is not None and adapter.failed_at is not None and time.monotonic() - adapter.failed_at > _RETRY_S:
            source = adapter.source
            self._retire(adapters, adapter_id)
            adapter = adapters[adapter_id] = self._start(adapter_id, source)
        if adapters is self._called:
            if adapter is None:
                if self._below is None:
                    raise UnknownAdapter(adapter_id)
                adapter = self._start(adapter_id, self._below.source(adapter_id))
            self._called.pop(adapter_id, None)
            self._called[adapter_id] = adapter
            self._make_room(adapter_id)
        assert adapter is not None
        return adapter

    def _start(self, adapter_id: str, source: AdapterSource) -> Adapter:
        after = self._leaving.pop(adapter_id, None)
        return Adapter(self._name(adapter_id), source, self._engine, self._fetch, after)

    def _name(self, adapter_id: str) -> str:
        return f"{self._model_id}:{adapter_id}"

    def _retire(self, adapters: dict[str, Adapter], adapter_id: str) -> None:
        adapter = adapters.pop(adapter_id)
        adapter.retire()
        self._leaving = {name: one for name, one in self._leaving.items() if not one.is_gone}
        self._leaving[adapter_id] = adapter

    def _make_room(self, wanted: str) -> None:
        idle = [adapter_id for adapter_id, adapter in self._called.items() if adapter.is_idle and adapter_id != wanted]
        for adapter_id in idle[: max(0, len(self._called) - self._most)]:
            self._retire(self._called, adapter_id)

    def _look_below(self, path: str | None, most: int) -> None:
        if path is None:
            self._below = None
        elif self._below is None or self._below.path != path:
            self._below = Found(path)
        if most != self._most:
            self._most = most

            async def itself(name: str) -> str:
                return name

            # What it keeps are names; which adapters are in the engine is decided here, by the same rule.
            self._tell = self._multiplexed(max_num_models_per_replica=most)(itself)


async def _itself(name: str) -> str:
    return name
