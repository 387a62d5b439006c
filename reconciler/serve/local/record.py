"""What is remembered of the local cluster, in its state folder."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from reconciler.serve.local.processes import ProcessId, is_running

_RECORD = "cluster.json"
_TOKEN = "token"
_LOG = "ray.log"
_MODELS = "models"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A Ray cluster on this machine that `reconcile local up` started."""

    directory: Path
    """The state folder, absolute."""
    dashboard_address: str
    gateway_address: str
    gcs_address: str
    """Where `ray start --address` and drivers connect."""
    auth: str
    """Ray's `RAY_AUTH_MODE`: `disabled` or `token`."""
    temp_directory: Path
    """Ray's sockets and logs."""
    leaders: tuple[ProcessId, ...]
    """The `ray start --block` processes, one for each node, the head first."""
    processes: tuple[ProcessId, ...] = ()
    """Everything that ran when the start was complete."""
    ready: bool = False
    """Whether the start was complete."""
    data_plane: str = "proxy"
    """What is in front of the applications: Ray Serve's own `proxy`, or `haproxy`."""

    @property
    def models_directory(self) -> Path:
        """The folder of the tiny models, `RECONCILER_LOCAL_MODELS` in the cluster."""
        return self.directory / _MODELS

    @property
    def log_file(self) -> Path:
        """What `ray start` printed."""
        return self.directory / _LOG

    @property
    def token_file(self) -> Path:
        """The file with the bearer token, if there is one."""
        return self.directory / _TOKEN

    @property
    def token(self) -> str | None:
        """The bearer token, or None where authentication is off."""
        return self.token_file.read_text(encoding="ascii") if self.auth == "token" else None

    @property
    def is_alive(self) -> bool:
        """Whether the head node's process still runs."""
        return bool(self.leaders) and is_running(self.leaders[0])

    def with_leaders(self, leaders: tuple[ProcessId, ...]) -> Self:
        """The cluster with these nodes."""
        return replace(self, leaders=leaders)

    def complete(self, processes: tuple[ProcessId, ...]) -> Self:
        """The cluster once everything runs."""
        return replace(self, processes=processes, ready=True)

    def save(self) -> None:
        """Write the record, readable by its owner alone, whole or not at all."""
        document = {
            "version": _VERSION,
            "dashboard_address": self.dashboard_address,
            "gateway_address": self.gateway_address,
            "gcs_address": self.gcs_address,
            "auth": self.auth,
            "temp_directory": str(self.temp_directory),
            "leaders": [[process.pid, process.started] for process in self.leaders],
            "processes": [[process.pid, process.started] for process in self.processes],
            "ready": self.ready,
            "data_plane": self.data_plane,
        }
        write_private(self.directory / _RECORD, json.dumps(document, indent=1) + "\n")

    def forget(self) -> None:
        """Remove the record and the token."""
        for name in (_RECORD, _TOKEN):
            (self.directory / name).unlink(missing_ok=True)


def read(directory: Path) -> LocalCluster | None:
    """The cluster recorded in a state folder, complete or not; None where there is none or the record is damaged."""
    directory = directory.absolute()
    try:
        document = json.loads((directory / _RECORD).read_text(encoding="utf-8"))
        return _from_document(directory, document)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, by way of a temporary one beside it."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def _from_document(directory: Path, document: Mapping[str, Any]) -> LocalCluster | None:
    if document["version"] != _VERSION:
        return None
    return LocalCluster(
        directory=directory,
        dashboard_address=document["dashboard_address"],
        gateway_address=document["gateway_address"],
        gcs_address=document["gcs_address"],
        auth=document["auth"],
        temp_directory=Path(document["temp_directory"]),
        leaders=tuple(ProcessId(pid, started) for pid, started in document["leaders"]),
        processes=tuple(ProcessId(pid, started) for pid, started in document["processes"]),
        ready=document["ready"],
        data_plane=document.get("data_plane", "proxy"),
    )
