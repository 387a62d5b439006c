"""The nodes of a cluster, from `/api/v0/nodes` (`NodeState` in `ray/util/state/common.py`) and `/api/cluster_status`
(`ray/dashboard/modules/reporter/reporter_head.py`), 2.60."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.serve.answer import field, mapping, rows
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LostNode, Node

_NODE_GROUP = "ray.io/node-group"
"""The label with the name of a node's type (`RAY_NODE_GROUP_KEY`), from `RAY_NODE_TYPE_NAME` in its environment."""

_UNASKED = ("Unexpected termination", "Terminated due to preemption")
"""How Ray's words begin about a node that ended without being asked to (`compose_state_message` in
`ray/dashboard/utils.py`)."""
_MEMORY = ("memory", "object_store_memory")


def read_nodes(nodes: JsonValue, status: JsonValue) -> tuple[Node, ...]:
    """The nodes that live, sorted by id, with what they have and what is in use. Raises `BadAnswer`."""
    usage = _usage_by_node(status)
    alive = [row for row in rows(nodes, "nodes") if row.get("state") == "ALIVE"]
    return tuple(
        sorted((_node(row, usage.get(str(row.get("node_id")))) for row in alive), key=lambda node: node.node_id)
    )


def use_told_s(status: JsonValue) -> float | None:
    """When the monitor last looked, Unix time by the clock of the head node; None where it does not say."""
    told = _below(status, "data", "clusterStatus", "time")
    return float(told) if isinstance(told, int | float) else None


def read_lost(nodes: JsonValue) -> tuple[LostNode, ...]:
    """The nodes that died though nobody asked for it, without those in whose place a later one of the same kind came.
    Ray remembers the last thousand that died (`maximum_gcs_dead_node_cached_count`). Raises `BadAnswer`."""
    found = rows(nodes, "nodes")
    lost = [row for row in found if row.get("state") == "DEAD" and str(row.get("state_message")).startswith(_UNASKED)]
    if not lost:
        return ()
    later = sorted((_seconds(row, "start_time_ms"), _kind(row)) for row in found)
    left = []
    for row in sorted(lost, key=lambda row: _seconds(row, "end_time_ms")):
        ended, kind = _seconds(row, "end_time_ms"), _kind(row)
        successor = next((one for one in later if one[1] == kind and one[0] >= ended > 0), None)
        if successor is None:
            left.append(_lost(row))
        else:
            later.remove(successor)
    return tuple(sorted(left, key=lambda node: node.node_id))


def _lost(row: Mapping[str, Any]) -> LostNode:
    return LostNode(
        node_id=str(field(row, "node_id", "a node")),
        address=str(row.get("node_ip") or ""),
        total={name: float(amount) for name, amount in (row.get("resources_total") or {}).items()},
        node_type=_group(row),
        why=str(row["state_message"]),
        lost_s=_seconds(row, "end_time_ms"),
    )


def _kind(row: Mapping[str, Any]) -> str:
    """Equal for nodes that can take each other's place."""
    total = row.get("resources_total") or {}
    told = {name: amount for name, amount in total.items() if not name.startswith("node:") and name not in _MEMORY}
    return json.dumps([_group(row), sorted(told.items())])


def _seconds(row: Mapping[str, Any], key: str) -> float:
    return float(row.get(key) or 0) / 1000


def _group(row: Mapping[str, Any]) -> str | None:
    group = (row.get("labels") or {}).get(_NODE_GROUP)
    return str(group) if group else None


def _node(row: Mapping[str, Any], usage: Mapping[str, Any] | None) -> Node:
    total = {name: float(amount) for name, amount in mapping(row, "resources_total", "a node").items()}
    used = {}
    for name in total:
        amounts = (usage or {}).get(_camel_case(name)) or (usage or {}).get(name)
        if amounts:
            used[name] = float(amounts[0])
    return Node(str(field(row, "node_id", "a node")), total, used, _group(row), usage is not None)


def _usage_by_node(status: JsonValue) -> Mapping[str, Mapping[str, Any]]:
    """What the monitor of the cluster's autoscaler last saw in use: it looks, writes down what it saw, and sleeps for
    five seconds (`Monitor._run` in `ray/autoscaler/_private/monitor.py`). Absent on a cluster that is just starting and
    on one with the second autoscaler."""
    found = _below(status, "data", "clusterStatus", "loadMetricsReport", "usageByNode")
    return found if isinstance(found, Mapping) else {}


def _below(value: JsonValue, *keys: str) -> JsonValue:
    """What is at the end of a way through an answer; None where the way breaks off."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


@cache
def _camel_case(name: str) -> str:
    """How `/api/cluster_status` writes a resource's name: the dashboard renames every key of its answer
    (`ray.dashboard.utils.to_camel_case`), resource names included."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
