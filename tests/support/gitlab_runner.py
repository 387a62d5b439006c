"""A GitLab runner: carries out the jobs of a `.gitlab-ci.yml` as they stand, and answers what they ask of GitLab's API.

The installation in `before_script` is passed over: what it installs is here already.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from tests.support.repository import git
from tests.support.runner import BIN, Done
from tests.support.web import Handler, serving

JOB_TOKEN = "job-token-1"
PROJECT_TOKEN = "project-token-2"


@dataclass
class GitLabRunner:
    """Runs jobs of one file against a bare repository, each in a fresh clone."""

    recipe: Path
    origin: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)
    """Of every job, such as `RAY_TOKEN`."""
    jobs: int = 0

    @property
    def artifacts(self) -> Path:
        """One folder for each job that left some."""
        return self.home / "artifacts"

    def run(self, name: str, commit: str, **variables: str) -> Done:
        """Run the job at that commit of the repository."""
        self.jobs += 1
        document = yaml.safe_load(self.recipe.read_text(encoding="utf-8"))
        job = document[name]
        place = self.home / f"job-{self.jobs}"
        git(self.home, "clone", "-q", "--no-checkout", str(self.origin), str(place))
        git(place, "checkout", "-q", "--detach", commit)
        for needed in job.get("needs", []):
            shutil.copytree(self.artifacts / needed, place, dirs_exist_ok=True)
        lines = [line for line in document["default"]["before_script"] if not line.startswith("pip install")]
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join([*lines, *_flat(job["script"])])],
            cwd=place,
            env={
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "HOME": str(self.home),
                "TERM": "dumb",
                "GITLAB_CI": "true",
                "CI_COMMIT_SHA": commit,
                "CI_PROJECT_ID": "7",
                "CI_DEFAULT_BRANCH": "main",
                "CI_JOB_TOKEN": JOB_TOKEN,
                "GITLAB_TOKEN": PROJECT_TOKEN,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                **document["variables"],
                **self.variables,
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        for path in job.get("artifacts", {}).get("paths", []):
            if (place / path).exists():
                kept = self.artifacts / name / path
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(place / path, kept)
        return Done(ran.returncode, ran.stdout + ran.stderr, "")

    @contextmanager
    def api(self, merged: list[dict[str, Any]]) -> Iterator[str]:
        """The address of an API that knows the artifacts, and the merge requests that became the last commit."""
        artifacts = self.artifacts

        class Api(Handler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                path = url.path.removeprefix("/api/v4/projects/7/")
                if path.startswith("repository/commits/") and path.endswith("/merge_requests"):
                    allowed = self.headers.get("PRIVATE-TOKEN") == PROJECT_TOKEN
                    self.reply(200 if allowed else 401, json.dumps(merged).encode() if allowed else b"")
                    return
                ref, _, file = path.removeprefix("jobs/artifacts/").partition("/raw/")
                kept = artifacts / url.query.removeprefix("job=") / file
                known = unquote(ref) in ("main", "refs/merge-requests/12/head")
                if self.headers.get("JOB-TOKEN") != JOB_TOKEN:
                    self.reply(401, b"")
                elif known and kept.is_file():
                    self.reply(200, kept.read_bytes())
                else:
                    self.reply(404, b"")

        with serving(Api) as address:
            yield f"{address}/api/v4"


def _flat(lines: Any) -> Iterator[str]:
    """The lines of a script; what an anchor put in is a list of its own."""
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            yield from _flat(line)
