"""The REST client of a Ray dashboard: the `ServeReader`, `ServeWriter` and `ClusterJobs` of everything real.

`DELETE /api/serve/applications/` is not here on purpose: it shuts Serve down with everything in it.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from reconciler.serve import access_log, wire
from reconciler.serve.answer import rows
from reconciler.serve.details import read_details
from reconciler.serve.errors import BadAnswer, PutRefused, ServeError, Unauthorized
from reconciler.serve.http_client import Sender
from reconciler.serve.job import Job
from reconciler.serve.jobs import Jobs
from reconciler.serve.transport import Transport
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState, UnknownState

_APPLICATIONS = "/api/serve/applications/"
_EVERYTHING = "10000"
"""The most rows that the state API gives (`RAY_MAX_LIMIT_FROM_API_SERVER`)."""
_LOG_LINES = 500
_LOG_WAITS_S = (0.05, 0.2)
"""The dashboard writes a request down right after it has answered it."""
_SECOND_LOOK_S = 2.0
"""Wait before an empty list of applications beside living replicas is called a contradiction: the last replica of a
deleted application is listed as alive for a moment longer than the application."""


class RestClient:
    """Talks to one Ray dashboard. Address such as `https://ray.example.com:8265`, time-out in seconds."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        ca_file: str | None = None,
        timeout_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        sender: Sender | None = None,
    ) -> None:
        self._http = Transport(address, token=token, ca_file=ca_file, timeout_s=timeout_s, sleep=sleep, sender=sender)
        self._jobs = Jobs(self._http)
        self._sleep = sleep
        self._version: JsonValue = None
        self._nodes: JsonValue = None
        self._status: JsonValue = None
        self._head: str | None = None
        """The node that the dashboard runs on."""

    @property
    def address(self) -> str:
        """The dashboard's address, without credentials."""
        return self._http.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ray_version(self) -> JsonValue:
        """The answer of `/api/ray/version`, asked once. Raises `ServeError`."""
        if self._version is None:
            self._version = self._http.get_json("/api/ray/version")
        return self._version

    def live_state(self) -> LiveState | UnknownState:
        """Everything the cluster reports now. Raises `ServeError` when it cannot be reached."""
        self._nodes = None
        return self.look_again()

    def look_again(self) -> LiveState | UnknownState:
        """The same, with the nodes as they were last read. Raises `ServeError`."""
        details = self._http.get_json(_APPLICATIONS, parse=read_details)
        replicas: tuple[str, ...] = ()
        if _is_empty(details):
            replicas = self._replicas_alive()
            if replicas:
                self._sleep(_SECOND_LOOK_S)
                details = self._http.get_json(_APPLICATIONS, parse=read_details)
                replicas = self._replicas_alive()
        elif wire.hides_replicas(details):
            replicas = self._replicas_alive()
        if self._nodes is None:
            self._look_at_nodes()
        return wire.trusted_state(details, self.ray_version(), self._nodes, self._status, replicas)

    def _look_at_nodes(self) -> None:
        nodes = self._http.get_json("/api/v0/nodes", {"limit": _EVERYTHING, "detail": "1"})
        self._head = next((row["node_id"] for row in rows(nodes, "nodes") if row.get("is_head_node")), None)
        self._status = self._cluster_status()
        self._nodes = nodes

    def serve_details(self) -> JsonValue:
        """The answer of `GET /api/serve/applications/` as it is. Raises `ServeError`."""
        return self._http.get_json(_APPLICATIONS)

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        """The last lines of a log file below Ray's log folder on a node; empty when there is none."""
        if node_id is None:
            return ""
        return self._log({"node_id": node_id, "filename": path.lstrip("/")}, lines)

    def actor_output(self, actor_id: str, lines: int = 200) -> str:
        """The last lines that an actor and its child processes wrote to stdout, then to stderr."""
        return "".join(self._log({"actor_id": actor_id, "suffix": suffix}, lines) for suffix in ("out", "err"))

    def other_writers(self) -> tuple[str, ...]:
        """Who else wrote between the last read and the last PUT, as far as the dashboard's log tells."""
        for wait_s in (0.0, *_LOG_WAITS_S):
            self._sleep(wait_s)
            log = self.replica_log(access_log.LOG_FILE, self._head, _LOG_LINES)
            found = access_log.other_writers(log, self._http.agent)
            if found is not None or not log:
                return found or ()
        return ()

    def _log(self, which: Mapping[str, str], lines: int) -> str:
        response = self._http.get("/api/v0/logs/file", {**which, "lines": str(lines), "filter_ansi_code": "true"})
        # Ray answers 500 for a file, a node or an actor that is gone.
        return response.text if response.status_code == 200 else ""

    def put(self, document: Mapping[str, JsonValue]) -> None:
        """Send the whole document; 200 means accepted, not deployed. Raises `PutRefused` or `ServeError`."""
        response = self._http.put(_APPLICATIONS, json=dict(document))
        if response.status_code != 200:
            raise PutRefused(response.status_code, wire.told(_last_line(response.text), document))

    def upload_package(self, name: str, content: bytes) -> None:
        """Store a package as `gcs://<name>` unless the cluster has it. Asking also keeps an unused one from being
        collected for ten minutes (`get_package` in `ray/dashboard/modules/job/job_head.py`)."""
        path = f"/api/packages/gcs/{name}"
        if self._http.get(path).status_code == 200:
            return
        response = self._http.put(path, content=content)
        if response.status_code != 200:
            raise ServeError(
                f"the Ray dashboard did not take the package `{name}` ({response.status_code}): "
                f"{_last_line(response.text)}",
                "does the cluster have memory left for its control store (GCS)?",
            )

    def jobs(self) -> tuple[Job, ...]:
        """Every submitted job. Raises `JobsUnusable` or `ServeError`."""
        return self._jobs.listed()

    def submit_job(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        """Submit a job; False when there is one with that id. Raises `JobsUnusable` or `ServeError`."""
        return self._jobs.submit(job_id, entrypoint, metadata)

    def stop_job(self, job_id: str) -> None:
        """Ask a job to end. Raises `ServeError`."""
        self._jobs.stop(job_id)

    def delete_job(self, job_id: str) -> None:
        """Forget a job that has ended. Raises `ServeError`."""
        self._jobs.delete(job_id)

    def job_output(self, job_id: str) -> str:
        """What a job wrote so far. Raises `ServeError`."""
        return self._jobs.output(job_id)

    def _replicas_alive(self) -> tuple[str, ...]:
        alive = {"filter_keys": "state", "filter_predicates": "=", "filter_values": "ALIVE", "limit": _EVERYTHING}
        return wire.replicas_alive(self._http.get_json("/api/v0/actors", alive))

    def _cluster_status(self) -> JsonValue:
        """What is in use on the nodes. A cluster whose monitor has not reported yet has nothing to say."""
        try:
            return self._http.get_json("/api/cluster_status")
        except Unauthorized:
            raise
        except BadAnswer:
            return None


def _is_empty(details: JsonValue) -> bool:
    return isinstance(details, Mapping) and details.get("applications") == {}


def _last_line(body: str) -> str:
    """The line of a traceback that says what went wrong; any other text as it is."""
    lines = [line.strip() for line in wire.plain(body).splitlines() if line.strip()]
    return lines[-1] if any(line.startswith('File "') for line in lines) else "\n".join(lines)
