"""A LiveState for programs."""

import json
from collections.abc import Sequence

from reconciler.state.json_value import JsonValue, canonical
from reconciler.state.live import LiveApplication, LiveDeployment, LiveState
from reconciler.views.last_apply import last_apply


def status_json(live: LiveState, applications: Sequence[LiveApplication], cluster: str, owner: str) -> str:
    """One JSON document: the given applications with their replicas, and the nodes."""
    document = {
        "format_version": "1.0",
        "cluster": cluster,
        "ray_version": live.ray_version,
        "last_apply": last_apply(live, owner),
        "applications": [_application(application, owner) for application in applications],
        "nodes": [
            {"node_id": node.node_id, "total": canonical(dict(node.total)), "used": canonical(dict(node.used))}
            for node in live.nodes
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _application(application: LiveApplication, owner: str) -> dict[str, JsonValue]:
    its_owner = application.application.owner if application.application else None
    return {
        "name": application.name,
        "ours": its_owner == owner,
        "owner": its_owner,
        "declarative": application.declarative,
        "status": application.status.value,
        "message": application.message,
        "route_prefix": application.route_prefix,
        "deployments": [_deployment(deployment) for deployment in application.deployments],
    }


def _deployment(deployment: LiveDeployment) -> dict[str, JsonValue]:
    return {
        "name": deployment.name,
        "status": deployment.status,
        "message": deployment.message,
        "target_num_replicas": deployment.target_num_replicas,
        "replicas": [
            {"replica_id": replica.replica_id, "state": replica.state, "node_id": replica.node_id}
            for replica in sorted(deployment.replicas, key=lambda replica: replica.replica_id)
        ],
    }
