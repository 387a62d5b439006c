"""Streams: nothing waits that could be sent, nothing is lost, and a stream that ends or breaks does so at once."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from runtime.engine.batches import batched

LONG_S = 3600.0
"""An interval that no test lives to see."""


async def count(upto: int) -> AsyncGenerator[int, None]:
    for number in range(upto):
        yield number


def test_all_items_come_in_order() -> None:
    async def collect() -> list[list[int]]:
        return [batch async for batch in batched(count(1000), 0.0)]

    batches = asyncio.run(collect())
    assert [item for batch in batches for item in batch] == list(range(1000))
    assert all(batches)


def test_an_empty_stream_has_no_batches() -> None:
    async def collect() -> list[list[int]]:
        return [batch async for batch in batched(count(0), LONG_S)]

    assert asyncio.run(collect()) == []


def test_the_first_item_does_not_wait_for_the_interval() -> None:
    async def first() -> list[str]:
        async def stuck() -> AsyncGenerator[str, None]:
            yield "first"
            await asyncio.Event().wait()

        stream = batched(stuck(), LONG_S)
        batch = await asyncio.wait_for(anext(stream), 30)
        await stream.aclose()
        return batch

    assert asyncio.run(first()) == ["first"]


def test_items_that_come_within_the_interval_travel_together() -> None:
    async def second_batch() -> list[int]:
        more = asyncio.Event()

        async def numbers() -> AsyncGenerator[int, None]:
            yield 0
            await more.wait()
            for number in (1, 2, 3):
                yield number
                await asyncio.sleep(0)

        stream = batched(numbers(), LONG_S)
        assert await anext(stream) == [0]
        more.set()
        # The end of the stream cuts the interval short.
        return await asyncio.wait_for(anext(stream), 30)

    assert asyncio.run(second_batch()) == [1, 2, 3]


def test_an_error_comes_after_what_came_before_it() -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("engine died")

    async def collect(seen: list[int]) -> None:
        async for batch in batched(broken(), LONG_S):
            seen.extend(batch)

    seen: list[int] = []
    with pytest.raises(ValueError, match="engine died"):
        asyncio.run(collect(seen))
    assert seen == [1]


def test_closing_the_stream_stops_its_source() -> None:
    async def closed() -> bool:
        stopped = asyncio.Event()

        async def endless() -> AsyncGenerator[int, None]:
            try:
                yield 0
                await asyncio.Event().wait()
            finally:
                stopped.set()

        stream = batched(endless(), 0.0)
        await anext(stream)
        await stream.aclose()
        await asyncio.wait_for(stopped.wait(), 30)
        return stopped.is_set()

    assert asyncio.run(closed())
