"""Keeping the code of all models on the cluster, and the gateway's own.

Ray counts who runs a package of its control store (`gcs://`), and drops it with the last one: when a model is scaled to
zero, and even when its only replica dies, before another one takes its place. Nodes that have run it keep a copy; on
any other node the model could never start again.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

_EVERY_S = 300.0
"""How often the packages are looked after."""

_PINNED_S = 3600
"""How long Ray then keeps them though nobody runs them: long enough for a gateway that died to come back."""

_SCHEME = "gcs://"

_log = logging.getLogger("ray.serve")


class Store(Protocol):
    """Ray's control store."""

    def own(self) -> Iterable[str]:
        """The URIs of the packages that this process runs."""
        ...

    def pin(self, uri: str, seconds: int) -> None:
        """Keep a package for so long, whoever runs it."""
        ...

    def get(self, uri: str) -> bytes | None:
        """A package; None when it is not there."""
        ...

    def put(self, uri: str, content: bytes) -> None:
        """Store a package."""
        ...


class RayStore:
    """The control store of the cluster that this process belongs to (`ray._private.runtime_env.packaging`, 2.60)."""

    def own(self) -> Iterable[str]:
        """The URIs of the packages that this process runs."""
        import ray

        return tuple(ray.get_runtime_context().runtime_env.get("py_modules") or ())

    def pin(self, uri: str, seconds: int) -> None:
        """Keep a package for so long, whoever runs it."""
        from ray.experimental.internal_kv import _pin_runtime_env_uri

        _pin_runtime_env_uri(uri, expiration_s=seconds)

    def get(self, uri: str) -> bytes | None:
        """A package; None when it is not there."""
        from ray.experimental.internal_kv import _internal_kv_get

        return _internal_kv_get(uri)

    def put(self, uri: str, content: bytes) -> None:
        """Store a package."""
        from ray.experimental.internal_kv import _internal_kv_put

        _internal_kv_put(uri, content)


class Code:
    """The packages that have to stay."""

    def __init__(self, store: Store) -> None:
        """Nothing is looked at before `keep`."""
        self._store = store
        self._uris: frozenset[str] = frozenset()
        self._contents: dict[str, bytes] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def keep(self, uris: Iterable[str]) -> None:
        """Look after these packages and those of this process, from now on."""
        self._uris = frozenset(uri for uri in uris if uri.startswith(_SCHEME))
        self.look_now()
        if self._task is None:
            self._task = asyncio.create_task(self._forever())

    def look_now(self) -> None:
        """Look after the packages soon, because somebody is about to need one."""
        self._wanted.set()

    async def _forever(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await asyncio.to_thread(self._look, self._uris)
            except Exception as error:
                _log.warning("The code of the models was not looked after: %s", error)
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _look(self, uris: Iterable[str]) -> None:
        own = frozenset(uri for uri in self._store.own() if uri.startswith(_SCHEME))
        wanted = own | frozenset(uris)
        if wanted - self._contents.keys():
            _log.info("Looking after the code in %s", ", ".join(sorted(wanted)))
        self._contents = {uri: content for uri, content in self._contents.items() if uri in wanted}
        for uri in sorted(wanted):
            # First, so that what is found is not dropped a moment later.
            self._store.pin(uri, _PINNED_S)
            content = self._store.get(uri)
            if content is not None:
                self._contents[uri] = content
            elif uri in self._contents:
                self._store.put(uri, self._contents[uri])
                _log.warning("Ray had dropped %s, which models need: it is there again", uri)
