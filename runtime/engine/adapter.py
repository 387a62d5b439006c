"""One LoRA adapter in one replica: its way into the engine and out again."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from runtime.engine.adapter_source import AdapterSource
from runtime.engine.errors import WeightsError
from runtime.engine.mirror import Snapshot

_log = logging.getLogger("ray.serve")


class Engine(Protocol):
    """What adapters need of the engine (`runtime.engine.vllm.Engine`)."""

    async def load_adapter(self, name: str, snapshot: Snapshot) -> None:
        """Have an adapter answer to a name. Raises `WeightsError` where the engine refuses it."""
        ...

    async def unload_adapter(self, name: str) -> None:
        """Have nobody answer to the name any more. Never raises."""
        ...


Fetch = Callable[[AdapterSource], Awaitable[Snapshot]]
"""Has an adapter on every node of the replica (`runtime.engine.adapter_source.have_adapter`)."""


class Adapter:
    """One adapter from the moment somebody wants it. It loads in the background."""

    def __init__(
        self, name: str, source: AdapterSource, engine: Engine, fetch: Fetch, after: "Adapter | None" = None
    ) -> None:
        """`name` is the id that requests give as `model`. `after` is one of the same name that has been retired: the
        engine knows adapters by name, so this one waits until the last request of that one has its answer."""
        self.name = name
        self.source = source
        self.failed_at: float | None = None
        """When it could not be loaded, in seconds of `time.monotonic`."""
        self._engine = engine
        self._snapshot: Snapshot | None = None
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._gone: asyncio.Task[None] | None = None
        self._is_loaded = False
        self._loading = asyncio.create_task(self._load(fetch, after))
        self._loading.add_done_callback(self._ended)

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """One request, from when the adapter can answer until it has.

        Raises:
            WeightsError: it cannot be loaded.
        """
        self._users += 1
        self._idle.clear()
        try:
            await asyncio.wait({self._loading})
            if not self._is_loaded:
                raise WeightsError(self._reason())
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    @property
    def is_idle(self) -> bool:
        """Whether no request uses it or waits for it."""
        return self._idle.is_set()

    @property
    def is_gone(self) -> bool:
        """Whether it was retired and has left the engine."""
        return self._gone is not None and self._gone.done()

    def retire(self) -> None:
        """No new request comes: leave the engine when the last one has its answer."""
        self._gone = asyncio.create_task(self._leave())

    def report(self) -> dict[str, Any]:
        """`source`, the `revision` that it came to (None where nobody knows), and `state`: `loading`, `loaded`, or
        `failed` with its `reason`."""
        found: dict[str, Any] = {"source": self.source.uri, "revision": self._snapshot and self._snapshot.revision}
        if not self._loading.done():
            return {**found, "state": "loading"}
        return (
            {**found, "state": "loaded"} if self._is_loaded else {**found, "state": "failed", "reason": self._reason()}
        )

    async def _load(self, fetch: Fetch, after: "Adapter | None") -> None:
        if after is not None and after._gone is not None:
            await asyncio.wait({after._gone})
        self._snapshot = await fetch(self.source)
        await self._engine.load_adapter(self.name, self._snapshot)
        self._is_loaded = True

    def _reason(self) -> str:
        error = self._loading.exception()
        return str(error) if isinstance(error, WeightsError) else f"{type(error).__name__}: {error}"

    def _ended(self, _: "asyncio.Task[None]") -> None:
        if self._is_loaded:
            _log.info("adapter %s: loaded from %s", self.name, self.source.uri)
        else:
            self.failed_at = time.monotonic()
            _log.error("adapter %s cannot be served: %s", self.name, self._reason())

    async def _leave(self) -> None:
        # What it fetches, whoever comes next finds; so it is not stopped half-way.
        await asyncio.wait({self._loading})
        await self._idle.wait()
        if self._is_loaded:
            await self._engine.unload_adapter(self.name)
            _log.info("adapter %s: unloaded", self.name)
