"""The processes of replicas, as Ray's dashboard tells them."""

import httpx

from reconciler.serve.local.cluster import LocalCluster


def replica_pids(cluster: LocalCluster, application: str) -> dict[str, int]:
    """The process of each replica of an application, by the replica's id."""
    headers = {"Authorization": f"Bearer {cluster.token}"} if cluster.token else {}
    document = httpx.get(f"{cluster.dashboard_address}/api/serve/applications/", headers=headers).json()
    parts = document["applications"][application]["deployments"].values()
    return {replica["replica_id"]: replica["pid"] for part in parts for replica in part["replicas"]}
