"""From a cluster file to a connection: which address, which token, and what to say when one is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.registry.registry import ClusterEntry
from reconciler.serve.errors import LocalError, ServeError
from reconciler.serve.rest import RestClient
from reconciler.serve.traffic import read_traffic
from reconciler.state.traffic import Traffic, UnknownTraffic

if TYPE_CHECKING:
    from reconciler.registry.cluster import TokenSource
    from reconciler.serve.local.record import LocalCluster
    from reconciler.state.work import UnknownWork, Work


_KEYS = {"dashboard": "token", "gateway": "key to the gateway"}
"""What the token is, by the section of the cluster file that says where it is."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster that can be talked to: the dashboard's address, where the gateway answers, and the client. A context
    manager that closes the client."""

    address: str
    gateway_address: str
    client: RestClient
    read_gateway_token: Callable[[], str | None] = lambda: None

    def gateway_token(self) -> str | None:
        """Our own key to the gateway; None where it asks for none. Raises `ServeError` with a hint when it is not where
        the cluster file says: only those need it who ask the gateway."""
        return self.read_gateway_token()

    def traffic(self) -> Traffic | UnknownTraffic:
        """Who uses the models, asked of the gateway now. Never raises."""
        try:
            return read_traffic(self.gateway_address, self.gateway_token())
        except ServeError as error:
            return UnknownTraffic(error.message)

    def work(self) -> "Work | UnknownWork":
        """What the replicas have to do and run, asked of the gateway now. Never raises."""
        # Not at the top: a plan does not ask.
        from reconciler.serve.work import read_work
        from reconciler.state.work import UnknownWork

        try:
            return read_work(self.gateway_address, self.gateway_token())
        except ServeError as error:
            return UnknownWork(error.message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.client.close()


def connect(entry: ClusterEntry, *, env: Mapping[str, str], local_directory: Path) -> Connection:
    """A connection to the cluster of a cluster file; nothing is asked of it yet.

    `local_directory` is the state folder of `reconcile local up`. Raises `ServeError` with a hint when the local
    cluster is not up or the token is not where the file says.
    """
    cluster = entry.cluster
    if cluster.dashboard is None:
        return _connect_local(entry, env, local_directory)
    token = _token(entry, cluster.dashboard.token, env, "dashboard")
    client = RestClient(cluster.dashboard.address, token=token, ca_file=cluster.dashboard.ca_file)
    return Connection(client.address, cluster.gateway.address or "", client, _gateway_token(entry, env))


def gateway_access(entry: ClusterEntry, *, env: Mapping[str, str], local_directory: Path) -> tuple[str, str | None]:
    """Where clients reach the gateway of a cluster, and the command line's key to it. The dashboard's token is not
    needed for it.

    Raises `ServeError` with a hint when the local cluster is not up, or the key is not where the cluster file says.
    """
    address = entry.cluster.gateway.address or _local(entry, local_directory).gateway_address
    return address, _gateway_token(entry, env)()


def _gateway_token(entry: ClusterEntry, env: Mapping[str, str]) -> Callable[[], str | None]:
    return lambda: _token(entry, entry.cluster.gateway.token, env, "gateway")


def _connect_local(entry: ClusterEntry, env: Mapping[str, str], directory: Path) -> Connection:
    local = _local(entry, directory)
    client = RestClient(local.dashboard_address, token=local.token)
    address = entry.cluster.gateway.address or local.gateway_address
    return Connection(client.address, address, client, _gateway_token(entry, env))


def _local(entry: ClusterEntry, directory: Path) -> "LocalCluster":
    # Not at the top: what talks to a cluster elsewhere starts no processes.
    from reconciler.serve.local.cluster import load

    local = load(directory)
    if local is None:
        raise LocalError(
            f"cluster `{entry.name}` is the local one, and there is none in `{directory}`",
            "start it with `reconcile local up`",
        )
    if not local.is_alive:
        raise LocalError(
            f"the local cluster in `{directory}` is no longer running", "start it anew with `reconcile local up`"
        )
    return local


def _token(entry: ClusterEntry, source: "TokenSource | None", env: Mapping[str, str], section: str) -> str | None:
    if source is None:
        return None
    if source.env is not None:
        token = env.get(source.env, "").strip()
        where = f"the environment variable `{source.env}`"
        problem = "is not set" if source.env not in env else "is empty"
    else:
        token, problem = _read_token(Path(source.file or "").expanduser())
        where = f"the file `{source.file}`"
    if not token:
        raise ServeError(
            f"cluster `{entry.name}` takes its {_KEYS[section]} from {where}, which {problem}",
            f"`{entry.file}` says so under `{section}.token`",
        )
    return token


def _read_token(path: Path) -> tuple[str, str]:
    try:
        return path.read_text(encoding="utf-8").strip(), "is empty"
    except OSError as error:
        return "", f"cannot be read ({(error.strerror or str(error)).lower()})"
    except UnicodeDecodeError:
        return "", "is not text"
