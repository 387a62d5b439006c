"""A CI runner: carries out the jobs of a workflow file as GitHub's would, as far as these workflows go.

Steps with `run` are executed as they stand, by bash with GitHub's flags. Of the actions, checkout clones, the ones for
artifacts copy, and the others are passed over, as is the installation of what is installed here already. `gh` answers
with what GitHub would know of pull requests and of the artifacts of runs, and picks with the very expressions.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.repository import git

_EXPRESSION = re.compile(r"\$\{\{\s*([^}]+?)\s*\}\}")
BIN = Path(sys.executable).parent
REPOSITORY = "acme/models"


@dataclass(frozen=True)
class Done:
    """What one job left behind."""

    code: int
    output: str
    summary: str


@dataclass
class Runner:
    """Runs jobs of one workflow against a bare repository, each in a fresh folder."""

    workflow: Path
    origin: Path
    home: Path
    context: dict[str, str]
    """What expressions may ask for: `inputs.registry`, `secrets.ray-token`, `github.token`, ..."""
    variables: dict[str, str] = field(default_factory=dict)
    """More variables of every step, such as `GITHUB_EVENT_PATH`."""
    branch: str = "main"
    """The branch that the runs from now on are for."""
    jobs: int = 0
    runs: int = 0
    pulls: list[dict[str, Any]] = field(default_factory=list)
    """Pull requests that were merged, as GitHub tells them."""
    uploaded: list[dict[str, Any]] = field(default_factory=list)
    """Artifacts of all runs, the newest first, as GitHub tells them."""

    def upload(
        self, name: str, texts: Mapping[str, str], commit: str, *, branch: str | None = None, is_fork: bool = False
    ) -> None:
        """Keep an artifact of the present run, or of one of its own for what a fork uploads."""
        self.runs += is_fork
        folder = self._artifacts / str(self.runs) / name
        # A run has each name once.
        folder.mkdir(parents=True)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
        about = {
            "id": self.runs,
            "head_sha": commit,
            "head_branch": branch or self.branch,
            "repository_id": 1,
            "head_repository_id": 2 if is_fork else 1,
        }
        self.uploaded.insert(0, {"name": name, "expired": False, "workflow_run": about})

    def merged(self, commit: str, head: str, repository: str = REPOSITORY) -> None:
        """A pull request with this head, of a branch in that repository, became the commit."""
        self.pulls.append({"merge_commit_sha": commit, "head": {"sha": head, "repo": {"full_name": repository}}})

    def run(self, name: str, commit: str, **variables: str) -> Done:
        """Run the job at that commit of the repository, up to the first step that fails. A job that needs no other one
        begins a run."""
        self.jobs += 1
        document = yaml.safe_load(self.workflow.read_text(encoding="utf-8"))
        self.runs += "needs" not in document["jobs"][name]
        place = self.home / f"job-{self.jobs}"
        workspace, temporary = place / "workspace", place / "temp"
        workspace.mkdir(parents=True)
        temporary.mkdir()
        summary = place / "summary.md"
        summary.touch()
        known = {**self.context, "runner.temp": str(temporary)}
        known |= {f"env.{name}": value for name, value in _evaluated(document.get("env", {}), known).items()}
        env = {
            "PATH": f"{self._tools()}:{BIN}:{os.environ['PATH']}",
            "HOME": str(place),
            "TERM": "dumb",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": commit,
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(temporary),
            "FORGE": str(self._told()),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **self.variables,
            **_evaluated(document.get("env", {}), known),
            **variables,
        }
        output, code = "", 0
        for step in document["jobs"][name]["steps"]:
            always = "always()" in str(step.get("if", ""))
            if code and not always:
                continue
            if "uses" in step:
                self._use(step["uses"].split("@")[0], _evaluated(step.get("with", {}), known), workspace, commit)
            elif step.get("name") != "Install":
                ran = subprocess.run(
                    ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", _expanded(step["run"], known)],
                    cwd=workspace / _expanded(step.get("working-directory", "."), known),
                    env={**env, **_evaluated(step.get("env", {}), known)},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                output += ran.stdout + ran.stderr
                code = code or ran.returncode
        return Done(code, output, summary.read_text(encoding="utf-8"))

    def artifact(self, name: str) -> Path:
        """The folder of the newest artifact of that name."""
        found = next(one for one in self.uploaded if one["name"] == name)
        return self._artifacts / str(found["workflow_run"]["id"]) / name

    @property
    def _artifacts(self) -> Path:
        return self.home / "artifacts"

    def _told(self) -> Path:
        """Where `gh` finds what the forge knows."""
        folder = self._artifacts
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pulls.json").write_text(json.dumps(self.pulls), encoding="utf-8")
        (folder / "uploaded.json").write_text(json.dumps(self.uploaded), encoding="utf-8")
        return folder

    def _tools(self) -> Path:
        """A folder with `gh`, which knows of artifacts and merges what the tests tell it."""
        folder = self.home / "tools"
        if not folder.exists():
            folder.mkdir(parents=True)
            tool = folder / "gh"
            tool.write_text(f"#!{sys.executable}\n{_GH}", encoding="utf-8")
            tool.chmod(0o755)
        return folder

    def _use(self, action: str, given: Mapping[str, str], workspace: Path, commit: str) -> None:
        if action == "actions/checkout":
            target = workspace / given.get("path", ".")
            git(self.home, "clone", "-q", "--no-checkout", str(self.origin), str(target))
            git(target, "checkout", "-q", "--detach", commit)
        elif action == "actions/upload-artifact":
            # What is not there is a warning, not an error.
            files = filter(Path.exists, (workspace / line for line in given["path"].split()))
            self.upload(given["name"], {file.name: file.read_text(encoding="utf-8") for file in files}, commit)
        elif action == "actions/download-artifact":
            target = workspace / given.get("path", ".")
            shutil.copytree(self._artifacts / str(self.runs) / given["name"], target, dirs_exist_ok=True)


def _evaluated(mapping: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {key: _expanded(str(value), known) for key, value in mapping.items()}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: _value(found[1], known), text)


def _value(expression: str, known: Mapping[str, str]) -> str:
    """The first of the alternatives that is not empty."""
    values = (part[1:-1] if part.startswith("'") else known[part] for part in map(str.strip, expression.split("||")))
    return next(filter(None, values), "")


_GH = """
import json, os, shutil, sys
from pathlib import Path

import jq

words, forge = sys.argv[1:], Path(os.environ["FORGE"])


def show(answer):
    found = jq.compile(words[words.index("--jq") + 1]).input_value(answer).all()
    print(*("" if one is None else one for one in found))


if words[0] == "api" and "/pulls" in words[1]:
    show(json.loads((forge / "pulls.json").read_text()))
elif words[0] == "api" and "artifacts?name=" in words[1]:
    name = words[1].split("name=")[1].split("&")[0]
    listed = json.loads((forge / "uploaded.json").read_text())
    show({"artifacts": [one for one in listed if one["name"] == name]})
elif words[:2] == ["run", "download"]:
    folder = forge / words[2] / words[words.index("--name") + 1]
    shutil.copytree(folder, words[words.index("--dir") + 1], dirs_exist_ok=True)
else:
    sys.exit(f"gh: no {words}")
"""


def event_file(path: Path, number: int) -> Path:
    """The event of a pull request of that number."""
    path.write_text(json.dumps({"pull_request": {"number": number}}), encoding="utf-8")
    return path
