"""Running `runtime/repair/stored_config.py` in the cluster: as the entrypoint of a job, which the head node runs.

What a controller has stored cannot be reached over the dashboard, and where the controller is gone nothing else of
Serve answers. The job API does not need Serve.
"""

import base64
import secrets
import shlex
import zlib
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.apply.clock import Clock
from reconciler.apply.evidence import lines_of
from reconciler.serve.errors import ServeError
from reconciler.serve.job import Job, JobStatus
from reconciler.serve.packages import runtime_folder
from reconciler.serve.protocols import ClusterJobs
from reconciler.serve.stored import StoredState, reported, stored_state

JOB_PREFIX = "reconciler-repair-"
LIMIT_S = 300.0
"""Seconds a job may take: it starts Python and Ray on a head node that may be busy, and a controller."""
_POLL_S = 1.0

# The job's `python` need not be the one that runs Ray; then the process that started the job knows better.
_FIND_PYTHON = """\
for python in python3 python; do
  "$python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("ray") is None)' 2>/dev/null && break
  python=
done
if [ -z "$python" ]; then
  python=$(readlink /proc/$PPID/exe)
  PYTHONPATH=$(grep -m1 -o '/[^ ]*/ray/_raylet' /proc/$PPID/maps | sed 's#/ray/_raylet##')
  export PYTHONPATH
fi
"""


class RepairJob:
    """Looks at what the controller has stored, and mends it."""

    def __init__(self, jobs: ClusterJobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock

    def examine(self) -> StoredState:
        """What is stored, and what is wrong with it. Changes nothing. Raises `ServeError`."""
        return stored_state(self._run("diagnose"))

    def mend(self, drop: Collection[str] = ()) -> None:
        """Mend it, and start a controller where none lives; of those that cannot be mended, `drop` are left out, which
        deletes them. Raises `ServeError`."""
        report = self._run("mend", *sorted(drop))
        if "error" in report:
            raise ServeError(
                f"what Serve has stored could not be mended: {report['error']}",
                "nothing that serves was stopped; the controller's log is on the head node, in Ray's log folder",
            )

    def _run(self, *arguments: str) -> Mapping[str, Any]:
        job_id = f"{JOB_PREFIX}{secrets.token_hex(6)}"
        self._jobs.submit_job(job_id, entrypoint(arguments), {"purpose": f"reconcile repair: {' '.join(arguments)}"})
        ended = self._wait(job_id)
        output = self._jobs.job_output(job_id)
        if ended.status is not JobStatus.SUCCEEDED:
            said = [line for line in lines_of(output) if not line.startswith("Running entrypoint")]
            raise ServeError(
                f"the job `{job_id}` ended {ended.status}: {said[-1] if said else 'it said nothing'}",
                f"`ray job logs {job_id}` shows all of it",
            )
        return reported(output)

    def _wait(self, job_id: str) -> Job:
        deadline = self._clock.now() + LIMIT_S
        while self._clock.now() < deadline:
            found = next((job for job in self._jobs.jobs() if job.job_id == job_id), None)
            if found is not None and found.status.has_ended:
                return found
            self._clock.sleep(_POLL_S)
        raise ServeError(
            f"the job `{job_id}` did not end within {LIMIT_S:.0f} s",
            "does the head node's dashboard agent run? `ray job list` shows what became of it",
        )


def entrypoint(arguments: Collection[str]) -> str:
    """The shell command of the job: the script, packed, with its arguments."""
    source = (runtime_folder() / "repair" / "stored_config.py").read_bytes()
    packed = base64.b64encode(zlib.compress(source, 9)).decode()
    code = (
        "import base64, sys, zlib; "
        f"exec(compile(zlib.decompress(base64.b64decode('{packed}')), 'stored_config.py', 'exec'))"
    )
    return _FIND_PYTHON + shlex.join(["$python", "-c", code, *arguments]).replace("'$python'", '"$python"', 1)
