"""A LiveState as JSON, for plans without a cluster: what a pull request from a fork may see.

No secret is in it: values of environment variables are hidden unless they are references, messages are left out, and
of applications that are not ours only what a plan needs is kept: name, owner, route and replicas.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from reconciler.registry.secret import find_secrets, is_secret_name
from reconciler.state.application import OWNER_ARG, Application
from reconciler.state.desired import DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment, LiveState, Node, Replica

FORMAT_VERSION = "1.0"

_HIDDEN = "(hidden)"
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")

Json = Mapping[str, Any]


class NoSnapshot(Exception):
    """A file is no snapshot. `message` says why, `hint` what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = "make one with `reconcile snapshot`"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cluster's report, the name the registry has for it, and when it was read (ISO 8601 with a time zone)."""

    cluster: str
    time: str
    live: LiveState


def snapshot_json(live: LiveState, *, cluster: str, owner: str, time: str) -> dict[str, JsonValue]:
    """The report, ready for `json.dumps`."""
    return {
        "format_version": FORMAT_VERSION,
        "cluster": cluster,
        "time": time,
        "ray_version": live.ray_version,
        "options": dict(live.options),
        "global_logging_config": live.global_logging_config,
        "nodes": [
            {
                "node_id": node.node_id,
                "total": dict(node.total),
                "used": dict(node.used),
                "node_type": node.node_type,
                "use_is_told": node.use_is_told,
            }
            for node in live.nodes
        ],
        "applications": [_application(entry, owner) for entry in live.applications],
    }


def read_snapshot(document: JsonValue) -> Snapshot:
    """The report of that document. Raises `NoSnapshot`."""
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, str) or not isinstance(document.get("applications"), list):
        raise NoSnapshot("it is not the snapshot of a cluster")
    if version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise NoSnapshot(f"it has format version {version}; this version reads {FORMAT_VERSION}")
    try:
        datetime.fromisoformat(document["time"])
        live = LiveState(
            ray_version=document["ray_version"],
            applications=tuple(_live_application(entry) for entry in document["applications"]),
            nodes=tuple(_node(one) for one in document["nodes"]),
            options=document["options"],
            global_logging_config=document["global_logging_config"],
        )
        return Snapshot(str(document["cluster"]), document["time"], live)
    except (KeyError, TypeError, ValueError) as error:
        raise NoSnapshot(f"the snapshot is not whole: {error}") from None


def believed_equal(live: LiveState, desired: DesiredState) -> LiveState:
    """The report with every hidden value taken for the one the registry has: whether it differs cannot be known."""
    wanted = {entry.name: entry.application.config for entry in desired.applications}
    applications = (
        replace(entry, application=Application(_filled(entry.application.config, wanted.get(entry.name))))
        if entry.application is not None
        else entry
        for entry in live.applications
    )
    return replace(live, applications=tuple(applications))


def _application(entry: LiveApplication, owner: str) -> dict[str, JsonValue]:
    config = entry.application.config if entry.application else None
    its_owner = entry.application.owner if entry.application else None
    if config is not None and its_owner != owner:
        config = {"name": entry.name, "args": {OWNER_ARG: its_owner} if its_owner else {}}
    return {
        "name": entry.name,
        "status": entry.status.value,
        "declarative": entry.declarative,
        "route_prefix": entry.route_prefix,
        "config": _without_secrets(config),
        "unlisted": list(entry.unlisted),
        "deployments": [
            {
                "name": deployment.name,
                "status": deployment.status,
                "target_num_replicas": deployment.target_num_replicas,
                "replicas": [
                    {"replica_id": one.replica_id, "state": one.state, "node_id": one.node_id}
                    for one in deployment.replicas
                ],
            }
            for deployment in entry.deployments
        ],
    }


def _without_secrets(value: JsonValue, key: str = "") -> JsonValue:
    if isinstance(value, Mapping):
        return {
            name: _variables(item) if name == "env_vars" else _without_secrets(item, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item, key) for item in value]
    if isinstance(value, str) and not value.startswith("${") and (is_secret_name(key) or find_secrets(value)):
        return _HIDDEN
    return value


def _variables(variables: JsonValue) -> JsonValue:
    if not isinstance(variables, Mapping):
        return _HIDDEN
    return {
        name: value if isinstance(value, str) and _REFERENCE.fullmatch(value) else _HIDDEN
        for name, value in variables.items()
    }


def _filled(value: JsonValue, wanted: JsonValue) -> JsonValue:
    if value == _HIDDEN:
        return value if wanted is None else wanted
    if isinstance(value, Mapping):
        other = wanted if isinstance(wanted, Mapping) else {}
        return {key: _filled(item, other.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(wanted, list) and len(value) == len(wanted):
        return [_filled(*pair) for pair in zip(value, wanted, strict=True)]
    return value


def _live_application(entry: Json) -> LiveApplication:
    return LiveApplication(
        name=entry["name"],
        status=ApplicationStatus(entry["status"]),
        message="",
        application=Application(entry["config"]) if entry["config"] is not None else None,
        deployments=tuple(
            LiveDeployment(
                one["name"],
                one["status"],
                "",
                one["target_num_replicas"],
                tuple(Replica(each["replica_id"], each["state"], each["node_id"]) for each in one["replicas"]),
                {},
            )
            for one in entry["deployments"]
        ),
        declarative=entry["declarative"],
        route_prefix=entry["route_prefix"],
        unlisted=tuple(entry["unlisted"]),
    )


def _node(one: Mapping[str, JsonValue]) -> Node:
    return Node(one["node_id"], one["total"], one["used"], one.get("node_type"), one.get("use_is_told", True))
