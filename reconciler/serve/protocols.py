"""Reading a cluster and changing it, as two different things.

Errors a caller may see are the ones of `serve.errors`; nothing else escapes.
"""

from collections.abc import Mapping
from typing import Protocol

from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState, UnknownState


class ServeReader(Protocol):
    """Looks, never touches. Reads are retried a bounded number of times on connection errors and 5xx."""

    def live_state(self) -> LiveState | UnknownState:
        """Everything the cluster reports now. Raises `serve.errors.ServeError` when it cannot be reached."""
        ...

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        """The last lines of a log file that a replica's `log_file_path` names; empty when there is none."""
        ...

    def actor_output(self, actor_id: str, lines: int = 200) -> str:
        """The last lines that an actor and its child processes wrote to stdout and stderr; empty when there are none.

        This is where vLLM's engine process says why it ended: it is no actor and has no log file of its own.
        """
        ...


class ServeWriter(Protocol):
    """Changes the cluster. Never retried blindly: after a doubtful answer the caller reads and compares."""

    def put(self, document: Mapping[str, JsonValue]) -> None:
        """Send the whole document. Returns once accepted, which is not yet deployed. Raises `serve.errors.PutRefused`
        (4xx; Ray may have stored it all the same) or `serve.errors.ServeError`."""
        ...

    def upload_package(self, name: str, content: bytes) -> None:
        """Store a code package under `gcs://<name>` unless the cluster already has it."""
        ...
