"""Looking for adapters below a path, and remembering for a moment what was there and what was not."""

import asyncio
import time
from pathlib import Path

from runtime.engine.adapter_source import AdapterSource, resolved
from runtime.engine.store import Folder, is_uri

_MARK = "adapter_config.json"
"""What makes a folder an adapter."""

_ABSENT_S = 10.0
"""Seconds for which one that was not there is taken to be still not there: who asks for nothing asks often."""
_LISTED_S = 30.0
_MOST_ABSENT = 10_000


class Found:
    """The adapters in the folders below one path: an absolute path on every node, or a URI of an object store."""

    def __init__(self, path: str) -> None:
        """`path` may refer to variables of the node. Nothing is read yet."""
        self.path = path.rstrip("/")
        self._absent: dict[str, float] = {}
        self._listed: tuple[str, ...] = ()
        self._listed_at: float | None = None
        self._listing: asyncio.Task[None] | None = None

    def source(self, adapter_id: str) -> AdapterSource:
        """Where the adapter of that id comes from."""
        return AdapterSource(f"{self.path}/{adapter_id}")

    async def has(self, adapter_id: str) -> bool:
        """Whether there is an adapter of that id.

        Raises:
            WeightsError: the path may not be read, or its store does not answer.
        """
        since = self._absent.get(adapter_id)
        if since is not None and time.monotonic() - since < _ABSENT_S:
            return False
        there = await asyncio.to_thread(_is_there, self.path, adapter_id)
        if there:
            self._absent.pop(adapter_id, None)
        else:
            if len(self._absent) >= _MOST_ABSENT:
                self._absent.clear()
            self._absent[adapter_id] = time.monotonic()
        return there

    async def ids(self) -> tuple[str, ...]:
        """The ids of all of them, sorted, not older than half a minute.

        Raises:
            WeightsError: as `has`.
        """
        if self._listed_at is None or time.monotonic() - self._listed_at > _LISTED_S:
            if self._listing is None or self._listing.done():
                self._listing = asyncio.create_task(self._list())
            await asyncio.shield(self._listing)
        return self._listed

    async def _list(self) -> None:
        self._listed = await asyncio.to_thread(_ids, self.path)
        self._listed_at = time.monotonic()


def _is_there(path: str, adapter_id: str) -> bool:
    folder = f"{resolved(path)}/{adapter_id}"
    return Folder(folder).stat(_MARK) is not None if is_uri(folder) else Path(folder, _MARK).is_file()


def _ids(path: str) -> tuple[str, ...]:
    folder = resolved(path)
    if is_uri(folder):
        names = (name.split("/") for name in Folder(folder).files())
        return tuple(sorted({parts[0] for parts in names if len(parts) == 2 and parts[1] == _MARK}))
    return tuple(sorted(mark.parent.name for mark in Path(folder).glob(f"*/{_MARK}")))
