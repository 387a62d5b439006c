"""The nodes of a cluster, from `/api/v0/nodes` (`NodeState` in `ray/util/state/common.py`) and `/api/cluster_status`
(`ray/dashboard/modules/reporter/reporter_head.py`), 2.60."""

from collections.abc import Mapping
from typing import Any

from reconciler.serve.answer import field, mapping, rows
from reconciler.state.json_value import JsonValue
from reconciler.state.live import Node


def read_nodes(nodes: JsonValue, status: JsonValue) -> tuple[Node, ...]:
    """The nodes that live, sorted by id, with what they have and what is in use. Raises `BadAnswer`."""
    usage = _usage_by_node(status)
    alive = [row for row in rows(nodes, "nodes") if row.get("state") == "ALIVE"]
    return tuple(
        sorted((_node(row, usage.get(str(row.get("node_id")), {})) for row in alive), key=lambda node: node.node_id)
    )


def _node(row: Mapping[str, Any], usage: Mapping[str, Any]) -> Node:
    total = {name: float(amount) for name, amount in mapping(row, "resources_total", "a node").items()}
    used = {}
    for name in total:
        amounts = usage.get(_camel_case(name)) or usage.get(name)
        if amounts:
            used[name] = float(amounts[0])
    return Node(node_id=str(field(row, "node_id", "a node")), total=total, used=used)


def _usage_by_node(status: JsonValue) -> Mapping[str, Mapping[str, Any]]:
    """What the cluster's autoscaler monitor last saw in use, a few seconds old. Absent on a cluster that is just
    starting and on one with the second autoscaler: then nothing counts as in use."""
    found = status
    for key in ("data", "clusterStatus", "loadMetricsReport", "usageByNode"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _camel_case(name: str) -> str:
    """How `/api/cluster_status` writes a resource's name: the dashboard renames every key of its answer
    (`ray.dashboard.utils.to_camel_case`), resource names included."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
