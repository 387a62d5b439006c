"""A driver for a cluster of several nodes: a replica whose workers are on two of them does something on each.

python -m tests.support.each_node GCS_ADDRESS
"""

import json
import sys

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from runtime.engine.errors import WeightsError
from runtime.engine.nodes import on_every_node


def here(word: str) -> tuple[str, str]:
    """Which node this is, and a word."""
    return ray.get_runtime_context().get_node_id(), word


def whole_only_on(node_id: str) -> None:
    """Has the weights on one node alone."""
    if ray.get_runtime_context().get_node_id() != node_id:
        raise WeightsError("the path `/models/chat` does not exist on this node")


class Replica:
    """Stands for a replica: its actor is in the first bundle."""

    async def nodes(self) -> tuple[str, list[tuple[str, str]]]:
        group = ray.util.get_current_placement_group()
        found = await on_every_node(here, "hello", placement_group=group, runtime_env={"env_vars": {}})
        return ray.get_runtime_context().get_node_id(), found

    async def failure(self) -> str:
        group = ray.util.get_current_placement_group()
        try:
            await on_every_node(
                whole_only_on, ray.get_runtime_context().get_node_id(), placement_group=group, runtime_env=None
            )
        except WeightsError as error:
            return str(error)
        return ""


def main(address: str) -> None:
    """Print what came of it as JSON."""
    ray.init(address=address, log_to_driver=False)
    group = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_SPREAD")
    ray.get(group.ready())
    strategy = PlacementGroupSchedulingStrategy(
        group, placement_group_bundle_index=0, placement_group_capture_child_tasks=True
    )
    replica = ray.remote(Replica).options(num_cpus=1, scheduling_strategy=strategy).remote()
    own, found = ray.get(replica.nodes.remote())
    print("answer:" + json.dumps({"own": own, "found": found, "failure": ray.get(replica.failure.remote())}))


if __name__ == "__main__":
    main(sys.argv[1])
