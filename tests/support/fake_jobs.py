"""Ray's jobs in memory: `ClusterJobs` with Ray's semantics, and faults.

The contract suite in `tests/contract/test_lease_contract.py` runs on it and on a real cluster.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from reconciler.serve.errors import ServeError
from reconciler.serve.job import Job, JobStatus

START_S = 1.0
"""From the submission until the job runs, and from a request to stop until it has ended; both about as on Ray."""


@dataclass
class FakeJob:
    """One job. `sleep N` and `true` are all that a fake can run."""

    job_id: str
    entrypoint: str
    metadata: dict[str, str]
    age_s: float = 0.0
    stopping_s: float | None = None
    status: JobStatus = JobStatus.PENDING

    def step(self, seconds: float, starts: bool) -> None:
        """Let time pass."""
        if self.status.has_ended:
            return
        if starts:
            self.age_s += seconds
        if self.age_s >= START_S:
            self.status = JobStatus.RUNNING
            if self.stopping_s is not None:
                self.stopping_s += seconds
        seconds_text = self.entrypoint.removeprefix("sleep ") if self.entrypoint.startswith("sleep ") else ""
        if self.stopping_s is not None and self.stopping_s >= START_S:
            self.status = JobStatus.STOPPED
        elif self.age_s >= START_S + float(seconds_text or 0.0):
            self.status = JobStatus.SUCCEEDED


@dataclass
class FakeJobs:
    """The jobs of a cluster.

    Faults: `before` is called with the name of the call (`list`, `submit`, `stop`, `delete`) and may raise or act;
    `after` likewise once it was done. With `starts` off a job stays pending.
    """

    before: Callable[[str], None] | None = None
    after: Callable[[str], None] | None = None
    starts: bool = True
    submitted: list[str] = field(default_factory=list)
    """Every id that was taken, in order, those since forgotten included."""
    calls: list[str] = field(default_factory=list)
    _jobs: dict[str, FakeJob] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def jobs(self) -> tuple[Job, ...]:
        self._enter("list")
        with self._lock:
            found = tuple(Job(job.job_id, job.status, dict(job.metadata)) for job in self._jobs.values())
        self._leave("list")
        return found

    def submit_job(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        self._enter("submit")
        assert all(isinstance(value, str) for value in metadata.values()), "Ray refuses anything but text"
        with self._lock:
            is_new = job_id not in self._jobs
            if is_new:
                self._jobs[job_id] = FakeJob(job_id, entrypoint, dict(metadata))
                self.submitted.append(job_id)
        self._leave("submit")
        return is_new

    def stop_job(self, job_id: str) -> None:
        self._enter("stop")
        job = self._jobs.get(job_id)
        if job is not None and job.stopping_s is None:
            job.stopping_s = 0.0
        self._leave("stop")

    def delete_job(self, job_id: str) -> None:
        self._enter("delete")
        job = self._jobs.get(job_id)
        if job is not None and not job.status.has_ended:
            raise ServeError(f"Attempted to delete job '{job_id}', but it is in a non-terminal state {job.status}.")
        self._jobs.pop(job_id, None)
        self._leave("delete")

    # What a test does to the cluster

    def advance(self, seconds: float) -> None:
        """Let time pass, half a second or so at a time."""
        for job in self._jobs.values():
            job.step(seconds, self.starts)

    def fail(self, job_id: str) -> None:
        """The process of a job dies."""
        self._jobs[job_id].status = JobStatus.FAILED

    def restart(self) -> None:
        """The cluster is started anew: it knows no job any more."""
        self._jobs.clear()

    def answer(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """What a dashboard answers to a request below `/api/jobs/`: a status and JSON, or a text with an error."""
        job_id, _, verb = path.removeprefix("/api/jobs/").partition("/")
        if (method, path) == ("GET", "/api/jobs/"):
            return 200, [
                {"submission_id": job.job_id, "status": job.status.value, "metadata": dict(job.metadata)}
                for job in self.jobs()
            ]
        if (method, path) == ("POST", "/api/jobs/") and body is not None:
            if self.submit_job(body["submission_id"], body["entrypoint"], body["metadata"]):
                return 200, {"submission_id": body["submission_id"]}
            return 500, f"ValueError: Job with submission_id {body['submission_id']} already exists."
        if job_id not in self._jobs:
            return 404, f"Job {job_id} does not exist"
        try:
            if (method, verb) == ("POST", "stop"):
                self.stop_job(job_id)
            elif (method, verb) == ("DELETE", ""):
                self.delete_job(job_id)
            else:
                return 405, "405: Method Not Allowed"
        except ServeError as error:
            return 500, error.message
        return 200, {}

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.before:
            self.before(call)

    def _leave(self, call: str) -> None:
        if self.after:
            self.after(call)
