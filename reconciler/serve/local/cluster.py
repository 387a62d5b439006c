"""The embedded local cluster: a real single-node Ray with Serve on this machine, started and stopped as one thing."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from reconciler.serve.errors import LocalError, ServeError
from reconciler.serve.local import model, node, processes
from reconciler.serve.local.lock import locked
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.record import LocalCluster, read
from reconciler.serve.local.start import Progress, environment, start_head, wait_until
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState

AUTH_MODES = ("disabled", "token")
DATA_PLANES = ("proxy", "haproxy")

_ATTEMPTS = 3
"""Starts with other ports when Ray does not come up: somebody may have taken one in between."""
_MODEL_SEED = 7


def up(
    directory: Path,
    *,
    auth: str = "disabled",
    num_cpus: int = 8,
    num_gpus: int = 0,
    resources: Mapping[str, float] | None = None,
    data_plane: str = "proxy",
    progress: Progress = lambda message: None,
) -> LocalCluster:
    """Start the local cluster, or return the one that runs already.

    `directory` keeps what has to be remembered; `auth` is `disabled` or `token`; the resources are logical ones;
    `data_plane` is `proxy`, Ray Serve's own, or `haproxy`.
    Builds the tiny models first, and starts Serve on a free port last. Whatever goes wrong, an interrupt included,
    nothing is left running. Raises `LocalError` with the end of Ray's own log, or another `ServeError`.
    """
    if auth not in AUTH_MODES:
        raise LocalError(f"`{auth}` is no authentication mode", "it is `disabled` or `token`")
    directory = directory.absolute()
    wanted = NodeResources(num_cpus, num_gpus, resources or {})
    with locked(directory):
        running = load(directory)
        if running is not None and running.is_alive:
            return running
        _clear(directory)
        progress("building the tiny model")
        model.build(directory / "models" / "tiny-chat", seed=_MODEL_SEED)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return start_head(directory, auth, wanted, progress, data_plane)
            except ServeError:
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
    with locked(directory):
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
    with locked(directory):
        cluster = load(directory)
        if cluster is None or not cluster.is_alive:
            raise LocalError(f"there is no local cluster in `{directory}`", "start it with `reconcile local up`")
        before = _node_count(cluster)
        env = environment(cluster)
        arguments = node.worker_arguments(cluster.gcs_address, resources)
        process = node.start(arguments, env, cluster.temp_directory, cluster.log_file)
        leader = processes.identify(process.pid)
        leaders = (*cluster.leaders, *((leader,) if leader else ()))
        grown = cluster.with_leaders(leaders)
        grown.save()
        wait_until(lambda: _node_count(cluster) > before, process, cluster, "the node did not join")
        grown = grown.complete(processes.with_descendants(leaders))
        grown.save()
        return grown


def _clear(directory: Path) -> bool:
    """Stop whatever the record names, and forget it. Returns whether there was a record."""
    cluster = read(directory)
    if cluster is None:
        return False
    processes.stop(cluster.leaders, cluster.processes)
    shutil.rmtree(cluster.temp_directory, ignore_errors=True)
    cluster.forget()
    return True


def _node_count(cluster: LocalCluster) -> int:
    with RestClient(cluster.dashboard_address, token=cluster.token) as client:
        state = client.live_state()
    return len(state.nodes) if isinstance(state, LiveState) else 0
