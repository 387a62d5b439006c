"""Doing something on every node that a replica's workers are on."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def on_every_node(do: Callable[..., T], *args: Any, placement_group: Any, runtime_env: Any) -> list[T]:
    """What `do(*args)` returns here, first, and on each other node of the placement group of this replica.

    Here it runs in a thread; elsewhere in a task, which needs no resources. Both have to be a function of a module and
    plain data.

    Raises:
        Exception: what `do` raised here, or on another node (then as a `RayTaskError` that is also of its type).
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    placed = ray.util.placement_group_table(placement_group)["bundles_to_node_id"].values()
    tasks = [
        ray.remote(do)
        .options(
            num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False), runtime_env=runtime_env
        )
        .remote(*args)
        for node in sorted(set(placed) - {here})
    ]
    return list(await asyncio.gather(asyncio.to_thread(do, *args), *tasks))
