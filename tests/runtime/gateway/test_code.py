"""The code of models that nobody runs stays on the cluster, or comes back to it."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from runtime.gateway import code as module
from runtime.gateway.code import Code


class Control:
    """A control store in memory."""

    def __init__(self, **packages: bytes) -> None:
        self.packages = {f"gcs://{name}.zip": content for name, content in packages.items()}
        self.pinned: list[str] = []
        self.broken = False

    def own(self) -> Iterable[str]:
        if self.broken:
            raise ConnectionError("the control store restarts")
        return ("gcs://gateway.zip", "https://example.com/other.zip")

    def pin(self, uri: str, seconds: int) -> None:
        assert seconds > 2 * module._EVERY_S
        self.pinned.append(uri)

    def get(self, uri: str) -> bytes | None:
        return self.packages.get(uri)

    def put(self, uri: str, content: bytes) -> None:
        self.packages[uri] = content


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def test_all_packages_are_pinned_and_its_own_among_them() -> None:
    store = Control(gateway=b"g", engine=b"e")

    async def run() -> None:
        Code(store).keep(["gcs://engine.zip", "gcs://absent.zip", "https://example.com/engine.zip"])
        await until(lambda: len(store.pinned) == 3)

    asyncio.run(run())
    assert store.pinned == ["gcs://absent.zip", "gcs://engine.zip", "gcs://gateway.zip"]
    assert set(store.packages) == {"gcs://engine.zip", "gcs://gateway.zip"}


def test_a_package_that_was_dropped_is_stored_again_when_somebody_needs_it() -> None:
    store = Control(gateway=b"g", engine=b"e")

    async def run() -> None:
        code = Code(store)
        code.keep(["gcs://engine.zip"])
        await until(lambda: len(store.pinned) == 2)
        await asyncio.sleep(0.05)
        store.packages.clear()
        code.look_now()
        await until(lambda: store.packages == {"gcs://gateway.zip": b"g", "gcs://engine.zip": b"e"})

    asyncio.run(run())


def test_it_looks_again_and_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVERY_S", 0.01)
    store = Control(gateway=b"g")
    store.broken = True

    async def run() -> None:
        Code(store).keep([])
        await asyncio.sleep(0.05)
        store.broken = False
        await until(lambda: len(store.pinned) > 3)

    asyncio.run(run())


def test_what_no_model_runs_any_more_is_left_to_ray() -> None:
    store = Control(gateway=b"g", old=b"o", new=b"n")

    async def run() -> None:
        code = Code(store)
        code.keep(["gcs://old.zip"])
        await until(lambda: len(store.pinned) == 2)
        code.keep(["gcs://new.zip"])
        await until(lambda: len(store.pinned) == 4)
        del store.packages["gcs://old.zip"]
        code.look_now()
        await until(lambda: len(store.pinned) == 6)

    asyncio.run(run())
    assert "gcs://old.zip" not in store.packages
