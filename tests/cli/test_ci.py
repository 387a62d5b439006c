"""What a CI job says on GitHub and GitLab, over real HTTP to a stand-in of their APIs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.cli import Ran, run
from tests.support.fake_forge import TOKEN, FakeForge, fake_forge
from tests.support.fake_serve import FakeServe
from tests.support.repository import commit, git

SECRET = "canary-5521"


@pytest.fixture
def there() -> Iterator[FakeForge]:
    with fake_forge() as forge:
        yield forge


@pytest.fixture(params=["github", "gitlab"])
def job(request: pytest.FixtureRequest, there: FakeForge, tmp_path: Path) -> Mapping[str, str]:
    """The variables of a job on a pull request."""
    event = tmp_path / "event.json"
    event.write_text('{"pull_request": {"number": 12}}', encoding="utf-8")
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": there.address,
        "GITHUB_REPOSITORY": "acme/models",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": TOKEN,
    }
    gitlab = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{there.address}/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "12",
        "GITLAB_TOKEN": TOKEN,
    }
    return {"TERM": "dumb", **(github if request.param == "github" else gitlab)}


@pytest.fixture
def pull_request(repository: str, registry: Path, serve: FakeServe) -> Path:
    """A branch that changes one model and deletes the other, on a cluster as the main branch says; the plan file."""
    assert run("apply", "--auto-approve", serve=serve).code == 0
    git(".", "checkout", "-q", "-b", "branch")
    chat = registry / "acme--chat.yaml"
    chat.write_text(chat.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    (registry / "acme--other.yaml").unlink()
    commit(".", "Change one, delete one")
    return saved(serve)


def saved(serve: FakeServe) -> Path:
    ran = run("plan", "--out", "plan.json", serve=serve)
    assert ran.code == 0
    return Path("plan.json")


def say(plan: Path, *arguments: str, variables: Mapping[str, str]) -> Ran:
    return run("ci", "comment", plan, "--base", "main", *arguments, variables=variables)


def test_a_pull_request_has_one_comment_that_is_edited(
    pull_request: Path, job: Mapping[str, str], there: FakeForge, registry: Path, serve: FakeServe
) -> None:
    there.add(there.comments, "looks good")
    ran = say(pull_request, variables=job)
    assert (ran.code, ran.err.split(":")[0].strip()) == (0, "comment created")
    [comment] = [item for item in there.comments if item.author == TOKEN]
    assert "1 model deleted" in comment.body
    assert "`acme/other`" in comment.body
    assert "for other reasons" not in comment.body
    (registry / "acme--other.yaml").write_text(git(".", "show", "main:registry/acme--other.yaml"))
    commit(".", "Keep it")
    assert "comment updated" in say(saved(serve), variables=job).err
    [comment] = [item for item in there.comments if item.author == TOKEN]
    assert "1 restart" in comment.body
    assert "acme/other" not in comment.body
    assert "comment unchanged" in say(Path("plan.json"), variables=job).err


def test_what_the_pull_request_does_not_touch_is_folded(
    repository: str, registry: Path, serve: FakeServe, job: Mapping[str, str], there: FakeForge
) -> None:
    git(".", "checkout", "-q", "-b", "branch")
    chat = registry / "acme--chat.yaml"
    chat.write_text(chat.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    commit(".", "Change one")
    assert say(saved(serve), variables=job).code == 0
    body = there.comments[0].body
    above, folded = body.split("<details><summary>1 change for other reasons than this pull request", 1)
    assert "acme/chat" in above
    assert "acme/other" not in above
    assert "acme/other" in folded


def test_a_change_of_the_cluster_file_is_about_all(
    repository: str, registry: Path, serve: FakeServe, job: Mapping[str, str], there: FakeForge
) -> None:
    git(".", "checkout", "-q", "-b", "branch")
    cluster = registry / "clusters" / "test.yaml"
    cluster.write_text(cluster.read_text() + "# Touched.\n")
    commit(".", "Touch the cluster")
    assert say(saved(serve), variables=job).code == 0
    assert "for other reasons" not in there.comments[0].body


def test_a_dry_run_asks_nobody(pull_request: Path) -> None:
    ran = say(pull_request, "--dry-run", variables={"TERM": "dumb"})
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("<!-- reconcile plan test -->\n### ")


def test_without_git_all_models_stand_open(registry: Path, serve: FakeServe) -> None:
    ran = run("ci", "comment", saved(serve), "--dry-run")
    assert ran.code == 0
    assert "for other reasons" not in ran.out


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TERM": "dumb"}, "no CI job"),
        ({"GITHUB_ACTIONS": "true"}, "GITHUB_TOKEN"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": SECRET, "GITHUB_REPOSITORY": "a/b"}, "no pull request"),
        ({"GITLAB_CI": "true"}, "GITLAB_TOKEN"),
        (
            {"GITLAB_CI": "true", "GITLAB_TOKEN": SECRET, "CI_API_V4_URL": "http://x/api/v4", "CI_PROJECT_ID": "1"},
            "no merge request",
        ),
    ],
)
def test_what_a_job_lacks_is_named(pull_request: Path, variables: Mapping[str, str], words: str) -> None:
    ran = say(pull_request, variables=variables)
    assert ran.code == 1
    assert words in ran.err
    assert SECRET not in ran.err + ran.out


def test_a_base_that_git_does_not_have_is_told(pull_request: Path, job: Mapping[str, str]) -> None:
    ran = run("ci", "comment", pull_request, "--base", "origin/nowhere", variables=job)
    assert ran.code == 1
    assert "origin/nowhere" in ran.err


def report(serve: FakeServe) -> Path:
    Path("drift.json").write_text(run("drift", "--format", "json", serve=serve).out)
    return Path("drift.json")


def test_drift_has_one_issue_while_there_is_any(
    registry: Path, serve: FakeServe, job: Mapping[str, str], there: FakeForge
) -> None:
    assert "issue created" in run("ci", "issue", report(serve), variables=job).err
    assert "issue updated" in run("ci", "issue", report(serve), variables=job).err
    [issue] = there.issues
    assert issue.title == "Drift on cluster test"
    assert "acme--chat" in issue.body
    assert run("apply", "--auto-approve", serve=serve).code == 0
    assert "issue closed" in run("ci", "issue", report(serve), variables=job).err
    assert issue.state == "closed"
    assert "no drift" in run("ci", "issue", report(serve), variables=job).err
    assert len(there.issues) == 1


def test_an_issue_can_be_looked_at_first(registry: Path, serve: FakeServe) -> None:
    ran = run("ci", "issue", report(serve), "--dry-run")
    assert ran.out.startswith("Drift on cluster test\n\n<!-- reconcile drift test -->\n### Drift: ")


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for text in ("{}", "[]", "no", json.dumps({"findings": [{}], "cluster": "x", "in_sync": []})):
        file.write_text(text)
        ran = run("ci", "issue", file, "--dry-run")
        assert (ran.code, "no drift report" in ran.err) == (1, True)
