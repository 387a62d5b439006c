"""The start of a local Ray head with Serve, from free ports to a healthy proxy."""

import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.serve.errors import LocalError, ServeError, Unauthorized
from reconciler.serve.local import haproxy, node, processes
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.record import LocalCluster, write_private
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState

Progress = Callable[[str], None]

_LIMIT_S = 120.0
_POLL_S = 0.25
_LOG_LINES = 15


def start_head(
    directory: Path, auth: str, resources: NodeResources, progress: Progress, data_plane: str
) -> LocalCluster:
    """Start it and wait until it serves. What is started is recorded at once, so that it can be stopped whatever
    happens. Raises `LocalError` with the end of Ray's log, or another `ServeError`."""
    gcs, dashboard, http, grpc = node.free_ports(4)
    cluster = LocalCluster(
        directory=directory,
        dashboard_address=f"http://127.0.0.1:{dashboard}",
        gateway_address=f"http://127.0.0.1:{http}",
        gcs_address=f"127.0.0.1:{gcs}",
        auth=auth,
        temp_directory=node.temp_directory(),
        leaders=(),
        data_plane=data_plane,
    )
    cluster.save()
    if auth == "token":
        write_private(cluster.token_file, secrets.token_hex(32))
    env = environment(cluster)
    cluster.log_file.unlink(missing_ok=True)
    progress(f"starting Ray with its dashboard at {cluster.dashboard_address}")
    process = node.start(node.head_arguments(gcs, dashboard, resources), env, cluster.temp_directory, cluster.log_file)
    leader = processes.identify(process.pid)
    cluster = cluster.with_leaders((leader,) if leader else ())
    cluster.save()
    with RestClient(
        cluster.dashboard_address, token=cluster.token, timeout_s=10.0, sleep=lambda seconds: None
    ) as client:
        wait_until(lambda: _answers(client), process, cluster, "the dashboard did not answer")
        progress(f"starting Serve on {cluster.gateway_address}")
        # An empty list is harmless here and nowhere else: the cluster is new and nobody else's.
        client.put(
            {
                "applications": [],
                "proxy_location": "HeadOnly",
                "http_options": {"host": "127.0.0.1", "port": http},
                "grpc_options": {"port": grpc},
            }
        )
        wait_until(lambda: _proxy_healthy(client), process, cluster, "the Serve proxy did not become healthy")
    cluster = cluster.complete(processes.with_descendants(cluster.leaders))
    cluster.save()
    return cluster


def environment(cluster: LocalCluster) -> dict[str, str]:
    """What the processes of each node see."""
    env = node.environment(cluster.auth, cluster.token_file, cluster.models_directory)
    return env | haproxy.settings(cluster.temp_directory) if cluster.data_plane == "haproxy" else env


def wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[bytes], cluster: LocalCluster, what: str
) -> None:
    """Wait for a condition while a node starts. Raises `LocalError` when its process ends or time runs out."""
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        if process.poll() is not None:
            raise _start_error(f"Ray ended with exit code {process.returncode} while starting", cluster)
        if time.monotonic() > deadline:
            raise _start_error(f"{what} within {_LIMIT_S:.0f} seconds", cluster)
        time.sleep(_POLL_S)


def _answers(client: RestClient) -> bool:
    try:
        state = client.live_state()
    except Unauthorized:
        raise
    except ServeError:
        return False
    return isinstance(state, LiveState) and bool(state.nodes)


def _proxy_healthy(client: RestClient) -> bool:
    proxies = client.serve_details().get("proxies") or {}
    return any(proxy.get("status") == "HEALTHY" for proxy in proxies.values())


def _start_error(message: str, cluster: LocalCluster) -> LocalError:
    try:
        lines = cluster.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        lines = []
    told = "".join(f"\n  {line}" for line in lines if line.strip())
    return LocalError(f"{message}{told}", f"the log is `{cluster.log_file}`")
