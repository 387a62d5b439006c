"""From a cluster file to a connection: which address, which token, and what to say when one is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.registry.cluster import TokenSource
from reconciler.registry.registry import ClusterEntry
from reconciler.serve.errors import LocalError, ServeError
from reconciler.serve.local.cluster import load
from reconciler.serve.rest import RestClient


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster that can be talked to: the dashboard's address, where the gateway answers, and the client. A context
    manager that closes the client."""

    address: str
    gateway_address: str
    client: RestClient

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
        return _connect_local(entry, local_directory)
    token = _token(entry, cluster.dashboard.token, env)
    client = RestClient(cluster.dashboard.address, token=token, ca_file=cluster.dashboard.ca_file)
    return Connection(client.address, cluster.gateway.address or "", client)


def _connect_local(entry: ClusterEntry, directory: Path) -> Connection:
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
    client = RestClient(local.dashboard_address, token=local.token)
    return Connection(client.address, entry.cluster.gateway.address or local.gateway_address, client)


def _token(entry: ClusterEntry, source: TokenSource | None, env: Mapping[str, str]) -> str | None:
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
            f"cluster `{entry.name}` takes its token from {where}, which {problem}",
            f"`{entry.file}` says so under `dashboard.token`",
        )
    return token


def _read_token(path: Path) -> tuple[str, str]:
    try:
        return path.read_text(encoding="utf-8").strip(), "is empty"
    except OSError as error:
        return "", f"cannot be read ({(error.strerror or str(error)).lower()})"
    except UnicodeDecodeError:
        return "", "is not text"
