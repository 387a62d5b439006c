"""A new registry, from `reconcile init` to drift, through the jobs that its own files for CI call."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.cli import NEIGHBOUR, run
from tests.support.fake_dashboard import dashboard
from tests.support.fake_forge import TOKEN, FakeForge, fake_forge
from tests.support.fake_serve import FakeServe
from tests.support.gitlab_runner import GitLabRunner
from tests.support.repository import commit, git
from tests.support.runner import BIN, Runner, event_file

ROOT = Path(__file__).parents[2]
CANARY = "canary-ray-token-7162"
MODEL = Path("registry") / "Qwen--Qwen3-4B-Instruct-2507.yaml"


@dataclass
class New:
    """A working copy that `init` filled, with a remote, a cluster and a forge."""

    home: Path
    address: str
    serve: FakeServe
    forge: FakeForge

    @property
    def work(self) -> Path:
        """The working copy."""
        return self.home / "work"

    @property
    def origin(self) -> Path:
        """The remote."""
        return self.home / "origin.git"

    def begin(self, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
        """Init, commit, push, and the first apply by hand."""
        git(self.home, "init", "-q", "--bare", "-b", "main", str(self.origin))
        git(self.home, "clone", "-q", str(self.origin), str(self.work))
        git(self.work, "checkout", "-q", "-B", "main")
        ran = run("init", self.work, "--dashboard", self.address, "--gateway", self.address, *options)
        assert ran.code == 0, ran.err
        self.push("Begin the registry")
        monkeypatch.chdir(self.work)
        assert git(self.work, "status", "--porcelain") == ""

    def edit(self, branch: str, old: str, new: str) -> str:
        """Replace a piece of the model file on a new branch; the commit."""
        git(self.work, "checkout", "-q", "-B", branch, "main")
        text = (self.work / MODEL).read_text(encoding="utf-8")
        assert old in text
        (self.work / MODEL).write_text(text.replace(old, new), encoding="utf-8")
        return self.push("Edit the model")

    def push(self, subject: str) -> str:
        """Commit and push; the commit."""
        found = commit(self.work, subject)
        git(self.work, "push", "-q", "--force", "origin", "HEAD")
        return found

    def merge(self, branch: str) -> str:
        """Squash the branch into main; the commit."""
        git(self.work, "checkout", "-q", "main")
        git(self.work, "merge", "-q", "--squash", branch)
        return self.push(f"Merge {branch}")


@pytest.fixture
def new(tmp_path: Path) -> Iterator[New]:
    serve = FakeServe({"node-1": {"CPU": 64.0, "GPU": 4.0, "accelerator_type:L4": 1.0}})
    serve.intrude({"applications": [NEIGHBOUR]})
    serve.settle()
    with dashboard(serve, tick_s=1.0) as address, fake_forge() as forge:
        forge.is_job = True
        yield New(tmp_path, address, serve, forge)


def test_on_github(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    new.begin(monkeypatch)
    caller = yaml.safe_load((new.work / ".github" / "workflows" / "models.yml").read_text())
    called = ROOT / ".github" / "workflows" / "registry.yml"
    inputs = yaml.safe_load(called.read_text())[True]["workflow_call"]["inputs"]
    [job] = caller["jobs"].values()
    given = {**{name: one.get("default", "") for name, one in inputs.items()}, **job["with"]}
    runner = Runner(
        called,
        new.origin,
        new.home / "runner",
        {
            **{f"inputs.{name}": str(value) for name, value in given.items()},
            **{f"secrets.{name}": CANARY for name in job["secrets"]},
            "github.token": TOKEN,
            "github.run_id": "1",
            "github.event.repository.default_branch": "main",
        },
        {
            "GITHUB_API_URL": new.forge.address,
            "GITHUB_EVENT_PATH": str(event_file(new.home / "event.json", 12)),
            "GITHUB_BASE_REF": "main",
        },
    )
    runner.home.mkdir()

    def job_of(name: str, at: str, merged_head: str | None = None) -> str:
        if merged_head is not None:
            runner.merged(at, merged_head)
        runner.context["github.event.pull_request.base.sha"] = git(new.work, "rev-parse", "main")
        done = runner.run(name, at)
        assert done.code == 0, done.output
        assert "canary" not in done.output + done.summary
        return done.summary

    first = git(new.work, "rev-parse", "main")
    job_of("plan", first)
    job_of("apply", first, merged_head=first)
    head = new.edit("more", "max_replicas: 2", "max_replicas: 3")
    for name in ("validate", "plan", "comment"):
        job_of(name, head)
    [comment] = new.forge.comments
    assert "✅ No replica restarts" in comment.body
    merged = new.merge("more")
    job_of("apply", merged, merged_head=head)
    config = new.serve.config("Qwen--Qwen3-4B-Instruct-2507")
    assert config is not None
    assert config["deployments"][0]["autoscaling_config"]["max_replicas"] == 3
    assert new.serve.config("neighbour") is not None
    assert "No drift" in job_of("drift", merged)
    job_of("issue", merged)
    assert new.forge.issues == []


def test_on_gitlab(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    new.begin(monkeypatch, "--ci", "gitlab")
    runner = GitLabRunner(new.work / ".gitlab-ci.yml", new.origin, new.home, {"RAY_TOKEN": CANARY})
    request = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_IID": "12"}
    forge = {"CI_API_V4_URL": f"{new.forge.address}/api/v4", "GITLAB_TOKEN": TOKEN}

    def job(name: str, at: str, **variables: str) -> str:
        done = runner.run(name, at, **variables)
        assert "canary" not in done.output
        assert done.code == 0, done.output
        return done.output

    first = git(new.work, "rev-parse", "main")
    entry = {"iid": 12, "state": "merged", "source_project_id": 7, "squash_commit_sha": None, "sha": None}
    with runner.api([]) as api:
        done = runner.run("apply", first, CI_API_V4_URL=api)
        assert (done.code, "no merge request" in done.output) == (1, True)
    job("plan", first, **request)
    with runner.api([{**entry, "merge_commit_sha": first}]) as api:
        job("apply", first, CI_API_V4_URL=api)
    job("snapshot", first)

    head = new.edit("more", "max_replicas: 2", "max_replicas: 3")
    assert "No problems" in job("validate", head)
    job("plan", head, **request)
    job("comment", head, **request, **forge)
    [comment] = new.forge.comments
    assert "✅ No replica restarts" in comment.body
    with runner.api([]) as api:
        assert "compared with the cluster as it was" in job("plan-of-a-fork", head, CI_API_V4_URL=api, **request)
    merged = new.merge("more")
    fork = {**entry, "iid": 13, "source_project_id": 8, "merge_commit_sha": merged}
    with runner.api([fork, {**entry, "merge_commit_sha": merged}]) as api:
        assert "1 applied" in job("apply", merged, CI_API_V4_URL=api)
    events = (runner.artifacts / "apply" / ".reconciler" / "events.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in events)
    job("drift", merged)
    assert json.loads((runner.artifacts / "drift" / ".reconciler" / "drift.json").read_text())["has_drift"] is False
    job("issue", merged, **forge)
    assert new.forge.issues == []


def test_on_gitlab_the_token_goes_where_the_target_branch_says(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    new.begin(monkeypatch, "--ci", "gitlab")
    runner = GitLabRunner(new.work / ".gitlab-ci.yml", new.origin, new.home, {"RAY_TOKEN": CANARY})
    git(new.work, "checkout", "-q", "-B", "evil", "main")
    with fake_forge() as elsewhere:
        cluster = new.work / "registry" / "clusters" / "production.yaml"
        cluster.write_text(cluster.read_text().replace(new.address, elsewhere.address))
        done = runner.run("plan", new.push("Elsewhere"), CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
        assert done.code == 0, done.output
        assert elsewhere.log == []


def test_in_a_shell(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "SETUP.md").read_text(encoding="utf-8")
    recipe = page.partition("<!-- shell -->\n```sh\n")[2].partition("```")[0]
    change, merge, now_and_then = recipe.split("\n\n")
    new.begin(monkeypatch, "--ci", "none")
    (new.work / ".git" / "info" / "exclude").write_text("/*.json\n/*.jsonl\n/plan.md\n/drift.*\n")
    env = {"PATH": f"{BIN}:{os.environ['PATH']}", "RAY_TOKEN": CANARY, "PYTHONPATH": str(ROOT), "TERM": "dumb"}

    def shell(script: str) -> None:
        ran = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=new.work,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "canary" not in ran.stdout + ran.stderr

    shell(f"{change}\n{merge}")
    new.edit("more", "max_replicas: 2", "max_replicas: 3")
    shell(change)
    assert "max_replicas" in (new.work / "plan.md").read_text()
    new.merge("more")
    shell(merge)
    config = new.serve.config("Qwen--Qwen3-4B-Instruct-2507")
    assert config is not None
    assert config["deployments"][0]["autoscaling_config"]["max_replicas"] == 3
    shell(now_and_then)
    assert json.loads((new.work / "drift.json").read_text())["has_drift"] is False
    assert "canary" not in "".join(path.read_text() for path in new.work.iterdir() if path.is_file())
