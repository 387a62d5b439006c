import json
import re
from pathlib import Path

import pytest

from tests.support.cli import NEIGHBOUR, run
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden
from tests.support.repository import commit, git
from tests.support.rollbacks import CHAT, OTHER, apply, change, rollback


def steady(text: str) -> str:
    """Without what changes from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)
    for number, found in enumerate(dict.fromkeys(re.findall(r"\b[0-9a-f]{12}\b", text))):
        text = text.replace(found, f"COMMIT-{number}")
    return re.sub(r"by \S+:", "by WHO:", text)


def test_every_apply_with_what_became_of_it(two: tuple[str, str], serve: FakeServe) -> None:
    serve.fails = lambda config: "CUDA out of memory" if '"max_num_seqs": 16' in json.dumps(config) else None
    change(16)
    change(8, OTHER)
    commit(".", "Break one")
    run("apply", "--auto-approve", serve=serve)
    rollback(serve)
    rollback(serve, "--to", two[0], "--model", "acme/third")
    CHAT.write_text(CHAT.read_text() + "# later\n")
    commit(".", "Say more")
    ran = run("history", serve=serve)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("cli/history/all.txt", steady(ran.out))


def test_for_programs(two: tuple[str, str], serve: FakeServe) -> None:
    document = json.loads(run("history", "--format", "json", "--limit", "1", serve=serve).out)
    [entry] = document.pop("applies")
    assert document == {
        "format_version": "1.0",
        "cluster": "test",
        "owner": "test",
        "merged_since": [],
        "more_merged_since": False,
        "note": None,
    }
    assert entry["commit"] == two[1]
    assert entry["subject"] == "Raise the batch size; add a model"
    assert entry["tree"] == git(".", "rev-parse", "HEAD:registry")
    assert (entry["ended_well"], entry["runs_now"], entry["rollback"]) == (True, True, False)
    assert entry["counts"] == {"applied": 3}
    assert entry["failed"] == {"names": [], "more": 0}


def test_a_limit_cuts_both_lists(two: tuple[str, str], serve: FakeServe) -> None:
    for number in range(3):
        change(20 + number)
        commit(".", f"Change {number}")
    out = run("history", "--limit", "2", serve=serve).out
    assert "Change 2" in out and "Change 1" in out and "Change 0" not in out
    assert out.count("by ") == 2
    assert "    and earlier ones\n" in out
    assert run("history", "--limit", "0", serve=serve).code == 64


def test_what_somebody_changed_by_hand_is_not_called_applied(two: tuple[str, str], serve: FakeServe) -> None:
    configs = [entry.application.config for entry in serve.settle().applications if entry.application]
    serve.intrude({"applications": [config for config in configs if config["name"] != "acme--chat"]})
    serve.settle()
    out = run("history", serve=serve).out
    assert "<- runs now" not in out
    assert "runs now: something else than the last apply left; `reconcile drift` says what differs" in out


def test_what_stood_there_before_may_stand_there_again(repository: str, serve: FakeServe) -> None:
    apply(serve)
    before = [entry.application.config for entry in serve.settle().applications if entry.application]
    change(8)
    commit(".", "Raise it")
    apply(serve)
    now = {entry.name: entry.application for entry in serve.settle().applications}
    gateway = now["gateway"]
    assert gateway is not None
    serve.intrude({"applications": [gateway.config if entry["name"] == "gateway" else entry for entry in before]})
    serve.settle()
    out = run("history", serve=serve).out
    assert re.search(r"Two models", out.partition("<- runs now")[2])
    assert "left; somebody has changed the cluster since the last one" in out


def test_an_apply_that_did_not_end(repository: str, serve: FakeServe) -> None:
    def die(document: object) -> None:
        raise SystemError("killed")

    serve.after_put = die
    assert run("apply", "--auto-approve", serve=serve).code == 1
    serve.after_put = None
    out = run("history", serve=serve).out
    assert "begun; it did not come to its end, or is under way" in out
    assert "perhaps only a part of the last apply" in out


def test_uncommitted_changes_and_a_registry_outside_git(
    repository: str, serve: FakeServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(8)
    apply(serve)
    assert f"commit {repository[:12]} with uncommitted changes by " in run("history", serve=serve).out
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    Path(".git").rename("elsewhere")
    out = run("history", serve=serve).out
    assert "(a commit that is not in this clone)" in out
    assert "note: `registry` is in no git repository; name the registry folder of a git clone" in out
    change(16)
    apply(serve)
    assert "a registry outside git by " in run("history", serve=serve).out


def test_a_commit_of_another_branch(repository: str, serve: FakeServe) -> None:
    git(".", "checkout", "-q", "-b", "other")
    change(8)
    other = commit(".", "On a branch")
    apply(serve)
    git(".", "checkout", "-q", "main")
    out = run("history", serve=serve).out
    assert "On a branch" in out
    assert f"note: commit {other[:12]} is no part of what is checked out here" in out
    assert "merged since" not in out


def test_a_cluster_that_remembers_nothing(registry: Path, serve: FakeServe) -> None:
    out = run("history", serve=serve).out
    assert out == "cluster test\n\nno apply of this registry is remembered on the cluster\n"
    assert json.loads(run("history", "--format", "json", serve=serve).out)["applies"] == []


def test_a_broken_model_file_is_no_obstacle(two: tuple[str, str], serve: FakeServe) -> None:
    CHAT.write_text("[")
    assert "<- runs now" in run("history", serve=serve).out


def test_the_neighbour_is_not_part_of_it(two: tuple[str, str], serve: FakeServe) -> None:
    configs = [entry.application.config for entry in serve.settle().applications if entry.application]
    others = [config for config in configs if config["name"] != "neighbour"]
    serve.intrude({"applications": [*others, {**NEIGHBOUR, "args": {"greeting": "bye"}}]})
    serve.settle()
    assert "runs now: what the last apply left" in run("history", serve=serve).out
