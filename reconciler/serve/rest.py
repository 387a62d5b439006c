"""The REST client of a Ray dashboard: the `ServeReader` and `ServeWriter` that everything real goes through.

`DELETE /api/serve/applications/` is not here on purpose: it shuts Serve down with everything in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

import httpx

from reconciler.serve import wire
from reconciler.serve.errors import BadAnswer, PutRefused, ServeError, Unauthorized
from reconciler.serve.transport import Transport
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState, UnknownState

_APPLICATIONS = "/api/serve/applications/"
_EVERYTHING = "10000"
"""The most rows that the state API gives (`RAY_MAX_LIMIT_FROM_API_SERVER`)."""
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = Transport(
            address, token=token, ca_file=ca_file, timeout_s=timeout_s, sleep=sleep, transport=transport
        )
        self._sleep = sleep
        self._version: JsonValue = None

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
        details = self._http.get_json(_APPLICATIONS)
        replicas: tuple[str, ...] = ()
        if _is_empty(details):
            replicas = self._replicas_alive()
            if replicas:
                self._sleep(_SECOND_LOOK_S)
                details = self._http.get_json(_APPLICATIONS)
                replicas = self._replicas_alive()
        nodes = self._http.get_json("/api/v0/nodes", {"limit": _EVERYTHING})
        return wire.trusted_state(details, self.ray_version(), nodes, self._cluster_status(), replicas)

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

    def _log(self, which: Mapping[str, str], lines: int) -> str:
        response = self._http.get("/api/v0/logs/file", {**which, "lines": str(lines), "filter_ansi_code": "true"})
        # Ray answers 500 for a file, a node or an actor that is gone.
        return response.text if response.status_code == 200 else ""

    def put(self, document: Mapping[str, JsonValue]) -> None:
        """Send the whole document; 200 means accepted, not deployed. Raises `PutRefused` or `ServeError`."""
        response = self._http.put(_APPLICATIONS, json=dict(document))
        if response.status_code != 200:
            raise PutRefused(response.status_code, _hide_values(_last_line(response.text), document))

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


def _hide_values(text: str, document: Mapping[str, JsonValue]) -> str:
    """The text without the values of environment variables that the document holds: Ray quotes what it refuses."""
    for value in sorted(set(_env_values(document)), key=len, reverse=True):
        text = text.replace(value, "(hidden)")
    return text


def _env_values(value: JsonValue) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "env_vars" and isinstance(item, Mapping):
                yield from (entry for entry in item.values() if isinstance(entry, str) and len(entry) > 3)
            else:
                yield from _env_values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _env_values(item)
