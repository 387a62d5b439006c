"""Ray's jobs, as far as apply needs them: a list, and taking an id that nobody else can take.

Ray stores a submission under its id unless there is one already, in one step of its control store
(`put_info(..., overwrite=False)` in `ray/dashboard/modules/job/job_manager.py` 2.60). So `POST /api/jobs/` is the
compare-and-set that `PUT /api/serve/applications/` lacks.
"""

from collections.abc import Callable, Mapping

from reconciler.serve.errors import BadAnswer, JobsUnusable, ServeError, Unauthorized
from reconciler.serve.http_client import Answer
from reconciler.serve.job import Job, JobStatus
from reconciler.serve.transport import Transport
from reconciler.state.json_value import JsonValue

_JOBS = "/api/jobs/"
_TIMEOUT_S = 20.0
"""Of a submission. The dashboard itself waits 10 s for the agent that runs them (`WAIT_AVAILABLE_AGENT_TIMEOUT` in
`ray/dashboard/consts.py`)."""
_NOT_OFFERED = frozenset({404, 405, 501})


class Jobs:
    """The jobs of one dashboard, behind the REST client's `ClusterJobs`."""

    def __init__(self, http: Transport) -> None:
        self._http = http

    def listed(self) -> tuple[Job, ...]:
        """Every submitted job. Drivers that were started in another way have no id of their own and are left out."""
        response = _permitted(lambda: self._http.get(_JOBS))
        if response.status_code in _NOT_OFFERED:
            raise _unusable(f"it answered {response.status_code}")
        try:
            found = response.json() if response.status_code == 200 else None
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise BadAnswer(
                f"{self._http.address}{_JOBS} answered {response.status_code} and no list of jobs",
                "check that the address is that of a Ray dashboard, and its version",
            )
        return tuple(job for entry in found if (job := _job(entry)) is not None)

    def submit(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        """Submit a job that takes no resources; False when there is one with that id."""
        body = {
            "submission_id": job_id,
            "entrypoint": entrypoint,
            "entrypoint_num_cpus": 0,
            "metadata": dict(metadata),
        }
        response = _permitted(lambda: self._http.send("POST", _JOBS, json=body, timeout_s=_TIMEOUT_S))
        if response.status_code == 200:
            return True
        if "already exists" in response.text:
            return False
        if response.status_code in _NOT_OFFERED:
            raise _unusable(f"it answered {response.status_code}")
        raise ServeError(f"the Ray dashboard did not take a job ({response.status_code}): {_last_line(response.text)}")

    def stop(self, job_id: str) -> None:
        """Ask a job to end, which takes it a few seconds. One that is gone or has ended is left alone."""
        self._change("POST", f"{_JOBS}{job_id}/stop", "stop")

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Its id can be taken again then."""
        self._change("DELETE", f"{_JOBS}{job_id}", "forget")

    def output(self, job_id: str) -> str:
        """What a job wrote so far; empty when there is none."""
        response = self._http.get(f"{_JOBS}{job_id}/logs")
        try:
            found = response.json() if response.status_code == 200 else None
        except ValueError:
            found = None
        return str(found["logs"]) if isinstance(found, Mapping) and "logs" in found else ""

    def _change(self, method: str, path: str, verb: str) -> None:
        response = self._http.send(method, path, timeout_s=_TIMEOUT_S)
        if response.status_code not in (200, 404):
            said = _last_line(response.text)
            raise ServeError(f"the Ray dashboard did not {verb} a job ({response.status_code}): {said}")


def _job(entry: JsonValue) -> Job | None:
    """One entry of the list (`JobDetails` in `ray/dashboard/modules/job/pydantic_models.py`)."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("submission_id"), str):
        return None
    try:
        status = JobStatus(str(entry.get("status")))
    except ValueError:
        # A status of another Ray: what has not certainly ended goes on.
        status = JobStatus.RUNNING
    metadata = entry.get("metadata")
    written = {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, Mapping) else {}
    return Job(str(entry["submission_id"]), status, written)


def _permitted(ask: Callable[[], Answer]) -> Answer:
    """The answer to a request that a proxy may allow to nobody. A token that is missing or wrong is another matter."""
    try:
        return ask()
    except Unauthorized as error:
        if error.status == 403:
            raise _unusable(error.message) from error
        raise


def _unusable(reason: str) -> JobsUnusable:
    return JobsUnusable(f"the job API of the Ray dashboard cannot be used: {reason}")


def _last_line(body: str) -> str:
    """The line of a traceback that says what went wrong."""
    lines = [line.strip() for line in body.splitlines() if len(line.strip()) > 1]
    return lines[-1][:500] if lines else "no explanation"
