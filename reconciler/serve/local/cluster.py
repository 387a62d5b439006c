"""The embedded local cluster: a real single-node Ray with Serve on this machine, started and stopped as one thing."""

import fcntl
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.serve.errors import LocalError, ServeError, Unauthorized
from reconciler.serve.local import model, node, processes
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.record import LocalCluster, read, write_private
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState

AUTH_MODES = ("disabled", "token")

_ATTEMPTS = 3
"""Starts with other ports when Ray does not come up: somebody may have taken one in between."""
_START_LIMIT_S = 120.0
_POLL_S = 0.25
_LOG_LINES = 15
_MODEL_SEED = 7

Progress = Callable[[str], None]


def up(
    directory: Path,
    *,
    auth: str = "disabled",
    num_cpus: int = 8,
    num_gpus: int = 0,
    resources: Mapping[str, float] | None = None,
    progress: Progress = lambda message: None,
) -> LocalCluster:
    """Start the local cluster, or return the one that runs already.

    `directory` keeps what has to be remembered; `auth` is `disabled` or `token`; the resources are logical ones.
    Builds the tiny models first, and starts Serve on a free port last. Whatever goes wrong, an interrupt included,
    nothing is left running. Raises `LocalError` with the end of Ray's own log.
    """
    if auth not in AUTH_MODES:
        raise LocalError(f"`{auth}` is no authentication mode", "it is `disabled` or `token`")
    directory = directory.absolute()
    wanted = NodeResources(num_cpus, num_gpus, resources or {})
    with _alone(directory):
        running = load(directory)
        if running is not None and running.is_alive:
            return running
        _clear(directory)
        progress("building the tiny model")
        model.build(directory / "models" / "tiny-chat", seed=_MODEL_SEED)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return _start(directory, auth, wanted, progress)
            except LocalError:
                _clear(directory)
                if attempt == _ATTEMPTS:
                    raise
                progress("Ray did not start; trying other ports")
            except BaseException:
                _clear(directory)
                raise
    raise AssertionError("the last attempt returns or raises")


def down(directory: Path) -> bool:
    """Stop the local cluster and everything it started, and forget it. Returns whether there was one."""
    directory = directory.absolute()
    if not directory.is_dir():
        return False
    with _alone(directory):
        found = _clear(directory)
        (directory / "ray.log").unlink(missing_ok=True)
        if (directory / "models").is_dir():
            shutil.rmtree(directory / "models")
    return found


def load(directory: Path) -> LocalCluster | None:
    """The local cluster of a state folder, or None; it may have died since (`LocalCluster.is_alive`)."""
    cluster = read(directory)
    return cluster if cluster is not None and cluster.ready else None


def add_node(directory: Path, resources: NodeResources) -> LocalCluster:
    """Start one more node for the cluster of a state folder, and wait until the cluster counts it."""
    directory = directory.absolute()
    with _alone(directory):
        cluster = load(directory)
        if cluster is None or not cluster.is_alive:
            raise LocalError(f"there is no local cluster in `{directory}`", "start it with `reconcile local up`")
        before = _node_count(cluster)
        env = node.environment(cluster.auth, cluster.token_file, cluster.models_directory)
        arguments = node.worker_arguments(cluster.gcs_address, resources)
        process = node.start(arguments, env, cluster.temp_directory, cluster.log_file)
        leader = processes.identify(process.pid)
        leaders = (*cluster.leaders, *((leader,) if leader else ()))
        grown = cluster.with_leaders(leaders)
        grown.save()
        _wait_until(lambda: _node_count(cluster) > before, process, cluster, "the node did not join")
        grown = grown.complete(processes.with_descendants(leaders))
        grown.save()
        return grown


def _start(directory: Path, auth: str, resources: NodeResources, progress: Progress) -> LocalCluster:
    gcs, dashboard, http, grpc = node.free_ports(4)
    cluster = LocalCluster(
        directory=directory,
        dashboard_address=f"http://127.0.0.1:{dashboard}",
        gateway_address=f"http://127.0.0.1:{http}",
        gcs_address=f"127.0.0.1:{gcs}",
        auth=auth,
        temp_directory=node.temp_directory(),
        leaders=(),
    )
    cluster.save()
    if auth == "token":
        write_private(cluster.token_file, secrets.token_hex(32))
    env = node.environment(auth, cluster.token_file, cluster.models_directory)
    cluster.log_file.unlink(missing_ok=True)
    progress(f"starting Ray with its dashboard at {cluster.dashboard_address}")
    process = node.start(node.head_arguments(gcs, dashboard, resources), env, cluster.temp_directory, cluster.log_file)
    leader = processes.identify(process.pid)
    cluster = cluster.with_leaders((leader,) if leader else ())
    cluster.save()
    with RestClient(
        cluster.dashboard_address, token=cluster.token, timeout_s=10.0, sleep=lambda seconds: None
    ) as client:
        _wait_until(lambda: _answers(client), process, cluster, "the dashboard did not answer")
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
        _wait_until(lambda: _proxy_healthy(client), process, cluster, "the Serve proxy did not become healthy")
    cluster = cluster.complete(processes.with_descendants(cluster.leaders))
    cluster.save()
    return cluster


def _clear(directory: Path) -> bool:
    """Stop whatever the record names, and forget it. Returns whether there was a record."""
    cluster = read(directory)
    if cluster is None:
        return False
    processes.stop(cluster.leaders, cluster.processes)
    shutil.rmtree(cluster.temp_directory, ignore_errors=True)
    cluster.forget()
    return True


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


def _node_count(cluster: LocalCluster) -> int:
    with RestClient(cluster.dashboard_address, token=cluster.token) as client:
        state = client.live_state()
    return len(state.nodes) if isinstance(state, LiveState) else 0


def _wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[bytes], cluster: LocalCluster, what: str
) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while not condition():
        if process.poll() is not None:
            raise _start_error(f"Ray ended with exit code {process.returncode} while starting", cluster)
        if time.monotonic() > deadline:
            raise _start_error(f"{what} within {_START_LIMIT_S:.0f} seconds", cluster)
        time.sleep(_POLL_S)


def _start_error(message: str, cluster: LocalCluster) -> LocalError:
    try:
        lines = cluster.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        lines = []
    told = "".join(f"\n  {line}" for line in lines if line.strip())
    return LocalError(f"{message}{told}", f"the log is `{cluster.log_file}`")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One start or stop at a time in a state folder; a second one waits."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
