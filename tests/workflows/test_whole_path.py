"""The whole path: a repository with a remote, branches, and the steps of the workflow run as a runner would."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli import MODEL
from tests.support.fake_dashboard import dashboard
from tests.support.fake_forge import TOKEN, FakeForge, fake_forge
from tests.support.fake_serve import FakeServe
from tests.support.repository import commit, git
from tests.support.runner import Done, Runner, event_file

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "registry.yml"
CANARY = "canary-ray-token-3391"
CLUSTER = """\
owner: test
default: true
dashboard:
  address: {address}
  token: {{env: RAY_TOKEN}}
gateway:
  address: {address}
runtime_packages:
  engine: image
  gateway: image
"""
NEIGHBOUR = {
    "name": "neighbour",
    "route_prefix": "/n",
    "import_path": "n:build",
    "runtime_env": {"env_vars": {"COLOUR": "canary-neighbour-77"}},
}


@dataclass
class Team:
    """A working copy with a remote, the cluster, and the forge."""

    work: Path
    runner: Runner
    serve: FakeServe
    forge: FakeForge

    def branch(self, name: str) -> Path:
        """A new branch from main; the registry folder."""
        git(self.work, "checkout", "-q", "-B", name, "main")
        return self.work / "registry"

    def push(self, subject: str) -> str:
        """Commit and push; the commit."""
        found = commit(self.work, subject)
        git(self.work, "push", "-q", "--force", "origin", "HEAD")
        return found

    def merge(self, branch: str) -> str:
        """Squash the branch into main, as the forge does; the commit."""
        git(self.work, "checkout", "-q", "main")
        git(self.work, "merge", "-q", "--squash", branch)
        return self.push(f"Merge {branch}")

    def job(self, name: str, at: str, merged_head: str | None = None, **variables: str) -> Done:
        """Run one job of the workflow, after a pull request with that head was merged; nothing secret may come out of
        it."""
        base = git(self.work, "rev-parse", "main")
        at = git(self.work, "rev-parse", at)
        self.runner.context["github.event.pull_request.base.sha"] = base
        if merged_head is not None:
            self.runner.merged(at, merged_head)
        self.runner.branch = "main" if name in ("apply", "drift", "issue") else "feature"
        done = self.runner.run(name, at, GITHUB_BASE_REF="main", **variables)
        for text in (done.output, done.summary, *(item.body for item in self.forge.comments + self.forge.issues)):
            assert "canary" not in text
        return done

    def model(self, name: str, old: str = "", new: str = "") -> None:
        """Write a model file, with one piece of it replaced."""
        text = MODEL.format(name=name)
        assert old in text
        (self.work / "registry" / f"acme--{name}.yaml").write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    serve = FakeServe({"node-1": {"CPU": 64.0}})
    serve.intrude({"applications": [NEIGHBOUR]})
    serve.settle()
    with dashboard(serve, tick_s=1.0) as address, fake_forge() as forge:
        forge.is_job = True
        origin, work = tmp_path / "origin.git", tmp_path / "work"
        git(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
        git(tmp_path, "clone", "-q", str(origin), str(work))
        git(work, "checkout", "-q", "-B", "main")
        (work / "registry" / "clusters").mkdir(parents=True)
        (work / "registry" / "clusters" / "test.yaml").write_text(CLUSTER.format(address=address), encoding="utf-8")
        runner = Runner(
            WORKFLOW,
            origin,
            tmp_path / "runner",
            {
                "inputs.registry": "registry",
                "inputs.cluster": "",
                "inputs.package": "reconciler",
                "inputs.constraints": "",
                "secrets.ray-token": CANARY,
                "github.token": TOKEN,
                "github.run_id": "1",
                "github.event.repository.default_branch": "main",
            },
            {
                "GITHUB_API_URL": forge.address,
                "GITHUB_EVENT_PATH": str(event_file(tmp_path / "event.json", 12)),
            },
        )
        (tmp_path / "runner").mkdir()
        found = Team(work, runner, serve, forge)
        for name in ("chat", "code", "small", "other"):
            found.model(name)
        found.push("A registry")
        # What a person does once: the first apply has no pull request.
        assert found.job("plan", "main").code == 0
        assert found.job("apply", "main", merged_head=git(work, "rev-parse", "main")).code == 0
        yield found


def test_a_good_edit_is_planned_reviewed_merged_and_applied(team: Team) -> None:
    team.branch("good")
    team.model("chat", "max_replicas: 1", "max_replicas: 2")
    head = team.push("Let it grow")
    assert team.job("validate", head).code == 0
    assert team.job("plan", head).code == 0
    assert team.job("comment", head).code == 0
    [comment] = team.forge.comments
    assert "✅ No replica restarts" in comment.body
    assert "`acme/chat`" in comment.body
    merged = team.merge("good")
    puts = len(team.serve.puts)
    done = team.job("apply", merged, merged_head=head)
    assert done.code == 0, done.output
    assert len(team.serve.puts) > puts
    assert team.job("drift", merged).code == 0
    report = json.loads((team.runner.artifact("reconcile-drift-default") / "drift.json").read_text())
    assert report["has_drift"] is False
    assert (team.runner.artifact("reconcile-drift-default") / "drift.html").read_text().startswith("<!doctype html>")
    assert "No drift" in team.job("drift", merged).summary
    assert team.job("issue", merged).code == 0
    assert team.forge.issues == []
    events = (team.runner.artifact("reconcile-events-default") / "events.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in events)


def test_a_typo_is_annotated_at_its_line_and_nothing_is_planned(team: Team) -> None:
    team.branch("typo")
    team.model("chat", "max_num_seqs", "max_num_sekvens")
    head = team.push("A typo")
    done = team.job("validate", head)
    assert done.code == 1
    assert "::error file=registry/acme--chat.yaml,line=4" in done.output
    assert team.job("plan", head).code == 1


def test_deleting_half_of_the_models_is_held_and_told(team: Team) -> None:
    registry = team.branch("cull")
    for name in ("chat", "code"):
        (registry / f"acme--{name}.yaml").unlink()
    head = team.push("Delete half")
    assert team.job("plan", head).code == 0
    assert team.job("comment", head).code == 0
    body = team.forge.comments[0].body
    assert "🛑 2 changes held" in body
    assert "held: delete `acme/chat`" in body
    assert "held: delete `acme/code`" in body
    merged = team.merge("cull")
    done = team.job("apply", merged, merged_head=head)
    assert done.code == 1
    assert {"acme--chat", "acme--code"} <= {config["name"] for config in team.serve.puts[-1]["applications"]}


def test_a_cluster_that_moved_meanwhile_stops_the_apply(team: Team) -> None:
    team.branch("late")
    team.model("chat", "max_replicas: 1", "max_replicas: 2")
    head = team.push("Let it grow")
    assert team.job("plan", head).code == 0
    configs = {config["name"]: config for config in team.serve.puts[-1]["applications"]}
    configs["acme--code"]["deployments"][0]["max_ongoing_requests"] = 3
    team.serve.intrude({"applications": list(configs.values())})
    team.serve.settle()
    puts = len(team.serve.puts)
    done = team.job("apply", team.merge("late"), merged_head=head)
    assert done.code == 1
    assert "may not be applied any more" in done.output
    assert len(team.serve.puts) == puts


def test_a_commit_without_a_reviewed_plan_is_not_applied(team: Team) -> None:
    team.branch("main")
    team.model("chat", "max_replicas: 1", "max_replicas: 2")
    pushed = team.push("Straight to main")
    done = team.job("apply", pushed)
    assert done.code == 1
    assert "::error::no pull request" in done.output


def test_a_pull_request_cannot_send_the_token_elsewhere(team: Team) -> None:
    registry = team.branch("evil")
    with fake_forge() as elsewhere:
        cluster = registry / "clusters" / "test.yaml"
        text = cluster.read_text(encoding="utf-8")
        cluster.write_text(text.replace("http://", f"{elsewhere.address}#http://"), encoding="utf-8")
        (registry / "clusters" / "aaa.yaml").write_text(
            CLUSTER.format(address=elsewhere.address).replace("default: true", "default: false"), encoding="utf-8"
        )
        team.job("plan", team.push("Elsewhere"))
        assert elsewhere.log == []


def test_a_fork_is_planned_from_the_last_recorded_state(team: Team) -> None:
    team.branch("fork")
    team.model("chat", "max_num_seqs: 4", "max_num_seqs: 8")
    head = team.push("From a fork")
    before = len(team.serve.puts)
    done = team.job("plan-of-a-fork", head)
    assert done.code == 0, done.output
    assert "> **Offline**" in done.summary
    assert "`acme/chat`" in done.summary
    assert len(team.serve.puts) == before


def test_what_a_fork_uploads_is_taken_for_nothing(team: Team) -> None:
    """A fork's own workflow may upload anything under any name, from a branch of any name, at any commit."""
    team.branch("good")
    team.model("chat", "max_replicas: 1", "max_replicas: 2")
    head = team.push("Let it grow")
    assert team.job("plan", head).code == 0
    merged = team.merge("good")
    for name, file in (("reconcile-plan-default", "plan.json"), ("reconcile-snapshot-default", "snapshot.json")):
        team.runner.upload(name, {file: "forged"}, head, branch="main", is_fork=True)
    assert team.job("apply", merged, merged_head=head).code == 0
    assert team.job("plan-of-a-fork", head).code == 0


def test_a_fork_s_pull_request_that_was_merged_has_no_reviewed_plan(team: Team) -> None:
    team.branch("fork")
    team.model("chat", "max_replicas: 1", "max_replicas: 2")
    head = team.push("From a fork")
    merged = team.merge("fork")
    team.runner.upload("reconcile-plan-default", {"plan.json": "forged"}, head, branch="fork", is_fork=True)
    team.runner.merged(merged, head, "somebody/models")
    puts = len(team.serve.puts)
    done = team.job("apply", merged)
    assert (done.code, len(team.serve.puts)) == (1, puts)
    assert "::error::no pull request of this repository" in done.output


def test_drift_opens_an_issue_and_its_end_closes_it(team: Team) -> None:
    configs = {config["name"]: config for config in team.serve.puts[-1]["applications"]}
    before = dict(configs["acme--code"])
    configs["acme--code"] = {**before, "deployments": [{**before["deployments"][0], "max_ongoing_requests": 3}]}
    for config, state in ((configs["acme--code"], "open"), (before, "closed")):
        configs["acme--code"] = config
        team.serve.intrude({"applications": list(configs.values())})
        team.serve.settle()
        assert team.job("drift", "main").code == 0
        assert team.job("issue", "main").code == 0
        [issue] = team.forge.issues
        assert issue.state == state
    assert "changed on the cluster behind the registry" in issue.body
