"""HAProxy in place of Ray Serve's own proxies, in front of the local cluster."""

import random
from pathlib import Path

from reconciler.serve.local.node import free_ports

_PORTS_OF_REPLICAS = range(30_000, 32_000, 100)
"""Where the ports of a node's replicas may begin. Ray takes the next ones where some are taken."""


def settings(folder: Path) -> dict[str, str]:
    """The variables with which each of Ray's nodes is started (`ray.serve._private.constants`, 2.60). HAProxy keeps its
    files below `folder`, and all ports differ from those of another cluster on this machine."""
    metrics, stats = free_ports(2)
    http, grpc = random.sample(_PORTS_OF_REPLICAS, 2)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy" / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "h" / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "h" / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder / "haproxy"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "haproxy" / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(http),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(http + 99),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(grpc),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(grpc + 99),
    }
