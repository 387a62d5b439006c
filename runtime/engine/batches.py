"""Streaming without making the first token wait."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

T = TypeVar("T")

_END = object()


async def batched(items: AsyncGenerator[T, None], interval_s: float) -> AsyncGenerator[list[T], None]:
    """`items` in lists: what is there is passed on at once, and then again no sooner than `interval_s` later.

    Ray's own batching (`ray.llm._internal.serve.utils.batcher`) lets every list wait for the end of an interval, the
    one with the first token too. Whatever `items` raises is raised after what came before it.
    """
    queue: asyncio.Queue[T | object] = asyncio.Queue()

    async def read() -> None:
        try:
            async for item in items:
                queue.put_nowait(item)
        finally:
            queue.put_nowait(_END)

    reader = asyncio.create_task(read())
    try:
        while True:
            batch = [await queue.get()]
            while not queue.empty():
                batch.append(queue.get_nowait())
            ended = batch[-1] is _END
            if ended:
                batch.pop()
            if batch:
                yield batch
            if ended:
                await reader
                return
            await asyncio.wait({reader}, timeout=interval_s)
    finally:
        reader.cancel()
