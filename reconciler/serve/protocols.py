"""Reading a cluster and changing it, as two different things.

Errors a caller may see are the ones of `serve.errors`; nothing else escapes.
"""

from collections.abc import Mapping
from typing import Protocol

from reconciler.serve.job import Job
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState, UnknownState


class ServeReader(Protocol):
    """Looks, never touches. Reads are retried a bounded number of times on connection errors and 5xx."""

    def live_state(self) -> LiveState | UnknownState:
        """Everything the cluster reports now. Raises `serve.errors.ServeError` when it cannot be reached."""
        ...

    def look_again(self) -> LiveState | UnknownState:
        """What the cluster reports of its applications now, with its nodes as `live_state` last found them: for who
        waits, and asks for nothing else. Raises `serve.errors.ServeError`."""
        ...

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        """The last lines of a log file that a replica's `log_file_path` names; empty when there is none."""
        ...

    def actor_output(self, actor_id: str, lines: int = 200) -> str:
        """The last lines that an actor and its child processes wrote to stdout and stderr; empty when there are none.

        This is where vLLM's engine process says why it ended: it is no actor and has no log file of its own.
        """
        ...

    def other_writers(self) -> tuple[str, ...]:
        """Who else wrote since the last read before the last `put`, or at the same time as that: address and
        client, in a few words each. Empty as well where the cluster does not tell. Raises `serve.errors.ServeError`."""
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


class ClusterJobs(Protocol):
    """The cluster's jobs, which hold the lease. Safe to use from two threads at once."""

    def jobs(self) -> tuple[Job, ...]:
        """Every submitted job. Raises `serve.errors.JobsUnusable` or `serve.errors.ServeError`."""
        ...

    def submit_job(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        """Submit a job that takes no resources; False when there is one with that id already. Of several that submit
        the same id at once exactly one is answered True.

        Raises `serve.errors.JobsUnusable`, or `serve.errors.ServeError`, after which it may have been taken all the
        same: list and look."""
        ...

    def stop_job(self, job_id: str) -> None:
        """Ask a job to end, which it does within seconds. Raises `serve.errors.ServeError`."""
        ...

    def delete_job(self, job_id: str) -> None:
        """Forget a job that has ended; its id can be taken again. Raises `serve.errors.ServeError`."""
        ...

    def job_output(self, job_id: str) -> str:
        """What a job wrote so far; empty when there is no such job. Raises `serve.errors.ServeError`."""
        ...
