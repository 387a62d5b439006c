"""A StatusReport as JSON, for programs. The published form is `status.schema`."""

from reconciler.plan.encode import position_json
from reconciler.state.accelerators import Accelerator
from reconciler.state.json_value import JsonValue, canonical
from reconciler.state.live import Node
from reconciler.state.work import About, ReplicaWork
from reconciler.status.report import ApplicationReport, DeploymentReport, Load, ReplicaReport, StatusReport

FORMAT_VERSION = "1.1"
"""Major and minor: a reader of 1.x reads every 1.y, leaving out keys it does not know."""


def status_json(report: StatusReport, last_apply: JsonValue, lease: JsonValue) -> dict[str, JsonValue]:
    """The report, ready for `json.dumps`. `last_apply` is what the gateway remembers of it; `lease` is null where it is
    not known who holds it."""
    return {
        "format_version": FORMAT_VERSION,
        "cluster": report.cluster,
        "time": report.time,
        "ray_version": report.ray_version,
        "last_apply": last_apply,
        "lease": lease,
        "untold": report.untold,
        "applications": [_application(entry) for entry in report.applications],
        "nodes": [_node(node) for node in report.nodes],
        "accelerators": [_accelerator(one) for one in report.accelerators],
    }


def _application(entry: ApplicationReport) -> dict[str, JsonValue]:
    return {
        "name": entry.name,
        "model_id": entry.model_id,
        "ours": entry.ours,
        "wanted": entry.wanted,
        "owner": entry.owner,
        "declarative": entry.declarative,
        "status": entry.status.value if entry.status is not None else None,
        "message": entry.message,
        "route_prefix": entry.route_prefix,
        "running": entry.running,
        "target": entry.target,
        "capacity": entry.capacity,
        "load": None if entry.load is None else _load(entry.load, entry.running),
        "untold": entry.untold,
        "position": position_json(entry.position),
        "unlisted": list(entry.unlisted),
        "deployments": [_deployment(deployment) for deployment in entry.deployments],
    }


def _load(load: Load, running: int) -> dict[str, JsonValue]:
    return {
        "ongoing": load.ongoing,
        "requests": load.requests,
        "idle_s": canonical(round(load.idle_s, 3)),
        "idle_for_longer": load.idle_for_longer,
        "busy_replicas": load.busy,
        "idle_replicas": max(running - load.busy, 0),
    }


def _deployment(deployment: DeploymentReport) -> dict[str, JsonValue]:
    return {
        "name": deployment.name,
        "status": deployment.status,
        "message": deployment.message,
        "target_num_replicas": deployment.target,
        "max_ongoing_requests": deployment.max_ongoing,
        "request_router": deployment.router,
        "resources_per_replica": canonical(dict(deployment.resources)),
        "replicas": [_replica(replica, deployment.max_ongoing) for replica in deployment.replicas],
    }


def _replica(replica: ReplicaReport, limit: int | None) -> dict[str, JsonValue]:
    return {
        "replica_id": replica.replica_id,
        "state": replica.state,
        "node_id": replica.node_id,
        "since": replica.since,
        "work": None if replica.work is None else _work(replica.work, limit),
        "about": None if replica.work is None or replica.work.about is None else _about(replica.work.about),
    }


def _work(work: ReplicaWork, limit: int | None) -> dict[str, JsonValue]:
    return {
        "requests": work.requests,
        "ongoing": work.ongoing,
        "free": None if limit is None else max(limit - work.ongoing, 0),
        "last_s": canonical(work.last_s),
        "watched_s": canonical(work.watched_s),
    }


def _about(about: About) -> dict[str, JsonValue]:
    weights = about.weights
    return {
        "versions": dict(about.versions),
        "weights": None if weights is None else {"source": weights.source, "revision": weights.revision},
        "adapters": {
            name: {"state": one.state, "revision": one.revision, "reason": one.reason}
            for name, one in about.adapters.items()
        },
    }


def _node(node: Node) -> dict[str, JsonValue]:
    return {
        "node_id": node.node_id,
        "node_type": node.node_type,
        "total": canonical(dict(node.total)),
        "used": canonical(dict(node.used)),
    }


def _accelerator(one: Accelerator) -> dict[str, JsonValue]:
    amounts = {"total": one.total, "used": one.used, "wanted": one.wanted, "ceiling": one.ceiling}
    return {"type": one.type, **canonical(amounts)}
