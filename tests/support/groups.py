"""A Ray driver that makes placement groups as told: run as a program, one JSON request and one JSON answer a line.

`{"bundles": [...], "strategy": "PACK", "wait_s": 3}` answers `{"nodes": [node id, ...]}`, or null while it is pending,
in which case the group is removed again. `{"clear": true}` removes all groups and waits until their resources are free.
"""

import json
import sys
import time
from typing import Any

import ray
from ray.util import placement_group_table
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

_SETTLE_S = 20.0


def make(request: dict[str, Any], groups: list[PlacementGroup]) -> list[str] | None:
    """Make one group; the ids of its bundles' nodes, or None."""
    group = placement_group(request["bundles"], strategy=request["strategy"])
    if group.wait(request["wait_s"]):
        groups.append(group)
        nodes = placement_group_table(group)["bundles_to_node_id"]
        return [nodes[index] for index in sorted(nodes)]
    remove_placement_group(group)
    time.sleep(0.5)
    return None


def clear(groups: list[PlacementGroup]) -> None:
    """Remove all groups. What their bundles held is free a moment later."""
    for group in groups:
        remove_placement_group(group)
    groups.clear()
    deadline = time.monotonic() + _SETTLE_S
    while _busy() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)


def _busy() -> bool:
    free, total = ray.available_resources(), ray.cluster_resources()
    return any(abs(free.get(name, 0.0) - total[name]) > 1e-6 for name in ("CPU", "GPU"))


def main(address: str) -> None:
    """Answer until the input ends."""
    ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    groups: list[PlacementGroup] = []
    for line in sys.stdin:
        request = json.loads(line)
        answer = clear(groups) if request.get("clear") else make(request, groups)
        print("answer:", json.dumps({"nodes": answer}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
