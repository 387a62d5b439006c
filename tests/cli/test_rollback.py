import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import CLUSTER, MODEL, NEIGHBOUR, Ran, gateway_config, run, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.repository import IDENTITY, commit, git
from tests.support.rollbacks import CHAT, OTHER, THIRD, apply, change, configs, records, rollback


@contextmanager
def work_tree_unchanged() -> Iterator[None]:
    """Nothing in the work tree, the index or git's references changes."""
    before = state_of_git()
    yield
    assert state_of_git() == before


def state_of_git() -> tuple[object, ...]:
    """What git sees in the work tree, its index and its references, and every file of the registry."""
    asked = (("status", "--porcelain", "--ignored"), ("rev-parse", "HEAD"), ("show-ref",), ("ls-files", "-s"))
    files = {path: path.read_bytes() for path in Path("registry").rglob("*") if path.is_file()}
    return (*(git(".", *arguments) for arguments in asked), files)


def test_the_cluster_is_again_what_the_earlier_commit_said(repository: str, serve: FakeServe) -> None:
    apply(serve)
    before = configs(serve)
    change(8)
    change(4, THIRD)
    second = commit(".", "Raise the batch size; add a model")
    apply(serve)
    assert configs(serve) != before
    with work_tree_unchanged():
        ran = rollback(serve)
    assert ran.code == 0, ran.err
    assert configs(serve) == before
    newest = records(serve)[0]
    assert (newest.commit, newest.rolled_back_from, newest.is_rollback, newest.dirty) == (
        repository,
        second,
        True,
        False,
    )
    assert newest.tree == git(".", "rev-parse", f"{repository}:registry")
    assert newest.left == records(serve)[2].left
    assert newest.ended_well


def test_a_saved_rollback_is_applied_as_it_was_approved(two: tuple[str, str], serve: FakeServe) -> None:
    first, second = two
    puts = len(serve.puts)
    saved = rollback(serve, "--out", "plan.json")
    assert saved.code == 0, saved.err
    assert "`reconcile apply plan.json` carries out exactly this rollback" in saved.err
    assert saved.out.startswith("rolling back\n")
    assert len(serve.puts) == puts
    assert json.loads(Path("plan.json").read_text())["rollback_to"] == first
    assert run("plan", "show", "plan.json").out in saved.out
    ran = run("apply", "plan.json", serve=serve)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("rolling back\n")
    newest = records(serve)[0]
    assert (newest.commit, newest.rolled_back_from, newest.is_rollback) == (first, second, True)
    assert "Nothing to do" in rollback(serve, "--to", first, "--dry-run").out


def test_a_saved_rollback_is_refused_once_anything_moved(two: tuple[str, str], serve: FakeServe) -> None:
    assert rollback(serve, "--out", "plan.json").code == 0
    change(16)
    commit(".", "Raise it again")
    apply(serve)
    puts = len(serve.puts)
    ran = run("apply", "plan.json", serve=serve)
    assert ran.code == 1
    assert "the plan may not be applied any more:" in ran.err
    assert "run `reconcile rollback --out FILE` again" in ran.err
    assert len(serve.puts) == puts


def test_it_says_from_where_to_where_and_how_to_make_it_last(two: tuple[str, str], serve: FakeServe) -> None:
    first, second = two
    ran = rollback(serve)
    assert ran.out.startswith("rolling back\n")
    assert f"from  {second[:12]}  Raise the batch size; add a model  applied " in ran.out
    assert f"to    {first[:12]}  Two models " in ran.out
    assert f"git still says what {second[:12]} does: the next apply of the registry brings it back" in ran.out
    assert f"to make the rollback last: git revert --no-edit {second[:12]}\n" in ran.out
    assert ran.out.endswith("Apply: 3 applied\n")


def advised(ran: Ran) -> str:
    """The git command that the rollback advised."""
    [line] = [line for line in ran.out.splitlines() if line.startswith("to make the rollback last: ")]
    return line.partition(": ")[2]


def run_advised(command: str) -> None:
    """Do what was advised, as a person would."""
    import subprocess

    identity = " ".join(f"{flag} {value}" for flag, value in zip(IDENTITY[::2], IDENTITY[1::2], strict=True))
    subprocess.run(["sh", "-ec", command.replace("git ", f"git {identity} ")], check=True, capture_output=True)


def later_commits() -> None:
    """One more that changes a model."""
    change(16)
    commit(".", "Raise it again")


def with_something_else() -> None:
    """A commit that holds more than the registry."""
    change(16)
    Path("README").write_text("text")
    commit(".", "Raise it again; say so")


def merged() -> None:
    """A branch that was merged."""
    git(".", "checkout", "-q", "-b", "branch")
    change(16)
    commit(".", "Raise it on a branch")
    git(".", "checkout", "-q", "main")
    git(".", "merge", "-q", "--no-ff", "-m", "Merge the branch", "branch")


@pytest.mark.parametrize(
    ("edit", "begins"),
    [
        (later_commits, "git revert --no-edit "),
        (with_something_else, "git restore --source="),
        (merged, "git restore --source="),
    ],
)
def test_what_it_advises_makes_the_registry_what_was_rolled_back_to(
    two: tuple[str, str], serve: FakeServe, edit: Any, begins: str
) -> None:
    edit()
    apply(serve)
    ran = rollback(serve, "--to", two[0])
    command = advised(ran)
    assert command.startswith(begins)
    run_advised(command)
    assert git(".", "rev-parse", "HEAD:registry") == git(".", "rev-parse", f"{two[0]}:registry")
    assert git(".", "status", "--porcelain") == ""
    assert Path("README").exists() is (edit is with_something_else)
    assert "Nothing to do" in apply(serve).out


def test_only_merges_are_reverted_as_merges(repository: str, serve: FakeServe) -> None:
    apply(serve)
    merged()
    apply(serve)
    command = advised(rollback(serve))
    assert command.startswith("git revert --no-edit -m 1 ")
    run_advised(command)
    assert git(".", "rev-parse", "HEAD:registry") == git(".", "rev-parse", f"{repository}:registry")


def test_afterwards_plan_drift_and_history_tell_the_truth(two: tuple[str, str], serve: FakeServe) -> None:
    first, second = two
    rollback(serve)
    plan = run("plan", serve=serve)
    assert f"warning: the cluster was rolled back to commit {first[:12]} by " in plan.out
    assert "; this plan may bring back what was rolled back" in plan.out
    drift = run("drift", "--detailed-exitcode", serve=serve)
    assert drift.code == 2
    assert f"note: the cluster was rolled back to commit {first[:12]} by " in drift.out
    told = json.loads(run("history", "--format", "json", serve=serve).out)
    assert [(entry["commit"], entry["rollback"], entry["runs_now"]) for entry in told["applies"]] == [
        (first, True, True),
        (second, False, False),
        (first, False, False),
    ]
    assert [entry["commit"] for entry in told["merged_since"]] == [second]
    assert "rolled back" not in run("rollback", "--dry-run", "--to", first, serve=serve).out.partition("\n")[2]
    apply(serve)
    assert "rolled back" not in run("drift", serve=serve).out
    assert records(serve)[0].commit == second


def test_a_second_rollback_goes_further_back_and_not_forth(two: tuple[str, str], serve: FakeServe) -> None:
    change(16)
    third = commit(".", "Once more")
    apply(serve)
    rollback(serve)
    assert (records(serve)[0].commit, records(serve)[0].rolled_back_from) == (two[1], third)
    rollback(serve)
    assert (records(serve)[0].commit, records(serve)[0].rolled_back_from) == (two[0], two[1])
    ran = rollback(serve)
    assert ran.code == 1
    assert "no apply of another commit that ended well is remembered before the present one" in ran.err


def test_a_failed_apply_is_rolled_back_to_the_one_before(two: tuple[str, str], serve: FakeServe) -> None:
    serve.fails = lambda config: "CUDA out of memory" if '"max_num_seqs": 16' in json.dumps(config) else None
    change(16)
    change(8, OTHER)
    commit(".", "Break one")
    assert run("apply", "--auto-approve", serve=serve).code == 1
    failed = records(serve)[0]
    assert (failed.ended_well, failed.failed.names) == (False, ("acme--chat",))
    assert rollback(serve).code == 0
    assert records(serve)[0].commit == two[1]
    assert json.loads(run("plan", "--format", "json", serve=serve).out)["has_changes"]


def test_one_model_alone_goes_back(two: tuple[str, str], serve: FakeServe) -> None:
    change(8, OTHER)
    commit(".", "Raise the other one")
    apply(serve)
    before = configs(serve)
    ran = rollback(serve, "--to", two[0], "--model", "acme/chat")
    assert ran.code == 0, ran.err
    after = configs(serve)
    assert {name for name in before if before[name] != after.get(name)} == {"acme--chat"}
    assert before.keys() == after.keys()
    source = two[0][:12]
    assert advised(ran) == (
        f"git restore --source={source} --staged --worktree -- registry/acme--chat.yaml "
        f"&& git commit -m 'Roll back to {source}'"
    )
    run_advised(advised(ran))
    assert not json.loads(run("plan", "--format", "json", serve=serve).out)["has_changes"]
    newest = records(serve)[0]
    assert (newest.models.names, newest.is_rollback) == (("acme/chat",), True)
    assert "`acme/chat` was rolled back to commit" not in run("drift", serve=serve).out


def test_a_model_that_was_not_there_yet_goes_away(two: tuple[str, str], serve: FakeServe) -> None:
    ran = rollback(serve, "--to", two[0], "--model", "acme/third")
    assert ran.code == 0, ran.err
    assert "acme--third" not in configs(serve)
    assert "acme/third" not in gateway_config(serve)["models"]
    run_advised(advised(ran))
    assert not THIRD.exists()
    assert CHAT.read_text() == git(".", "show", f"{two[1]}:registry/acme--chat.yaml") + "\n"


def test_the_gateway_alone_goes_back(repository: str, serve: FakeServe) -> None:
    cluster = Path("registry/clusters/test.yaml")
    apply(serve)
    cluster.write_text(CLUSTER.replace("gateway:\n", "gateway:\n  replicas: 2\n", 1))
    change(8)
    second = commit(".", "Two gateways; raise the batch size")
    apply(serve)
    before = configs(serve)
    ran = rollback(serve, "--model", "gateway")
    assert ran.code == 0, ran.err
    after = configs(serve)
    assert {name for name in before if before[name] != after[name]} == {"gateway"}
    assert after["gateway"]["deployments"][0]["autoscaling_config"]["min_replicas"] == 1
    assert "registry/clusters/test.yaml" in advised(ran)
    run_advised(advised(ran))
    assert cluster.read_text() == CLUSTER
    assert CHAT.read_text() == git(".", "show", f"{second}:{CHAT}") + "\n"


def test_an_unknown_model_is_refused(two: tuple[str, str], serve: FakeServe) -> None:
    puts = len(serve.puts)
    ran = rollback(serve, "--model", "acme/chta")
    assert (ran.code, len(serve.puts)) == (1, puts)
    assert "acme/chta" in ran.err and "hint: " in ran.err


@pytest.mark.parametrize("name", ["v1", "HEAD~1", "old", "short"])
def test_git_knows_the_commit_by_many_names(two: tuple[str, str], serve: FakeServe, name: str) -> None:
    git(".", "tag", "-a", "-m", "one", "v1", two[0])
    git(".", "branch", "old", two[0])
    ran = rollback(serve, "--to", two[0][:8] if name == "short" else name)
    assert ran.code == 0, ran.err
    assert records(serve)[0].commit == two[0]


def test_where_the_cluster_is_is_taken_from_now_and_what_runs_there_from_then(
    repository: str, serve: FakeServe
) -> None:
    cluster = Path("registry/clusters/test.yaml")
    apply(serve)
    before = configs(serve)
    moved = CLUSTER.replace("ray.example", "new.example")
    cluster.write_text(moved.replace("gateway:\n", "gateway:\n  replicas: 2\n", 1))
    commit(".", "Move the cluster; two gateways")
    apply(serve)
    ran = rollback(serve)
    assert ran.code == 0, ran.err
    assert configs(serve) == before


def test_a_registry_of_today_that_is_broken_is_no_obstacle(two: tuple[str, str], serve: FakeServe) -> None:
    CHAT.write_text("engine_config: [\n")
    commit(".", "Break it")
    assert run("apply", "--auto-approve", serve=serve).code == 1
    assert rollback(serve).code == 0
    assert records(serve)[0].commit == two[0]


def test_a_commit_with_problems_is_refused_with_its_lines(two: tuple[str, str], serve: FakeServe) -> None:
    OTHER.write_text(OTHER.read_text() + "unheard_of: 1\n")
    bad = commit(".", "A key of long ago")
    OTHER.write_text(MODEL.format(name="other"))
    commit(".", "Mend it")
    puts = len(serve.puts)
    ran = rollback(serve, "--to", bad)
    assert (ran.code, ran.out, len(serve.puts)) == (1, "", puts)
    assert f"{bad[:12]}:registry/acme--other.yaml:" in ran.err
    assert "unheard_of: 1" in ran.err
    assert f"the registry of commit {bad[:12]} does not pass the checks of this version" in ran.err


@pytest.mark.parametrize("name", ["nothing", "f" * 40, "--output=x", "HEAD~99", "main:registry", ""])
def test_what_is_no_commit_is_an_error(two: tuple[str, str], serve: FakeServe, name: str) -> None:
    ran = rollback(serve, f"--to={name}")
    assert (ran.code, ran.out) == (1, "")
    assert "error: " in ran.err and "hint: " in ran.err
    assert not Path("x").exists()


def test_a_shallow_clone_says_how_to_fetch(two: tuple[str, str], serve: FakeServe, tmp_path: Path) -> None:
    git(".", "clone", "-q", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "clone"))
    clone = str(tmp_path / "clone" / "registry")
    ran = rollback(serve, "--registry", clone)
    assert ran.code == 1
    assert f"git has no commit `{two[0]}` here" in ran.err
    assert "this clone is shallow: `git fetch --unshallow` (with `actions/checkout`: `fetch-depth: 0`)" in ran.err
    told = run("history", "--registry", clone, serve=serve).out
    assert "1 of these commits is not in this clone" in told
    assert "git fetch --unshallow" in told
    git(tmp_path / "clone", "fetch", "-q", "--unshallow")
    assert rollback(serve, "--registry", clone).code == 0


def test_a_commit_without_the_registry_is_refused(two: tuple[str, str], serve: FakeServe) -> None:
    git(".", "checkout", "-q", "--orphan", "empty")
    git(".", "rm", "-rq", "--cached", ".")
    git(".", "commit", "-q", "--allow-empty", "-m", "Nothing")
    empty = git(".", "rev-parse", "HEAD")
    git(".", "checkout", "-q", "-f", "main")
    ran = rollback(serve, "--to", empty)
    assert ran.code == 1
    assert f"commit {empty[:12]} has no folder `registry`" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("owner: test", "owner: other", "the cluster's owner was `test`, now it is `other`"),
        (None, None, "has no cluster `test`"),
    ],
)
def test_another_owner_or_an_unknown_cluster_is_refused(
    repository: str, serve: FakeServe, old: str | None, new: str | None, message: str
) -> None:
    cluster = Path("registry/clusters/test.yaml")
    if old is None or new is None:
        git(".", "mv", str(cluster), "registry/clusters/before.yaml")
        named_otherwise = commit(".", "Another name")
        git(".", "mv", "registry/clusters/before.yaml", str(cluster))
    else:
        named_otherwise = repository
        cluster.write_text(CLUSTER.replace(old, new))
    commit(".", "As it is now")
    ran = rollback(serve, "--to", named_otherwise)
    assert ran.code == 1
    assert message in ran.err
    assert serve.puts == []


def test_a_cluster_that_remembers_nothing_needs_a_name(repository: str, serve: FakeServe) -> None:
    ran = rollback(serve)
    assert ran.code == 1
    assert "the cluster remembers no apply of this registry" in ran.err
    ran = rollback(serve, "--to", repository)
    assert ran.code == 0, ran.err
    assert "from  unknown" in ran.out
    assert records(serve)[0].rolled_back_from is None


def test_outside_git_there_is_no_way_back(registry: Path, serve: FakeServe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    ran = rollback(serve)
    assert ran.code == 1
    assert "`registry` is in no git repository" in ran.err


def test_it_asks_first(two: tuple[str, str], serve: FakeServe) -> None:
    puts = len(serve.puts)
    assert run("rollback", serve=serve).code == 64
    ran = run("rollback", serve=serve, terminal=True, answer="n\n")
    assert (ran.code, len(serve.puts)) == (1, puts)
    assert "Roll back? [y/N] " in ran.err
    assert run("rollback", serve=serve, terminal=True, answer="y\n").code == 0
    assert records(serve)[0].is_rollback


def test_a_dry_run_changes_nothing(two: tuple[str, str], serve: FakeServe) -> None:
    puts = len(serve.puts)
    ran = run("rollback", "--dry-run", serve=serve)
    assert ran.code == 0
    assert "± restart acme--chat" in ran.out
    told = run("rollback", "--dry-run", "--format", "json", serve=serve)
    assert json.loads(told.out)["source"]["commit"] == two[0]
    assert told.err.startswith("rolling back\n")
    assert len(serve.puts) == puts


def test_outcomes_for_programs(two: tuple[str, str], serve: FakeServe) -> None:
    ran = rollback(serve, "--format", "json")
    assert {outcome["result"] for outcome in json.loads(ran.out)["outcomes"]} == {"applied"}
    assert ran.err.startswith("rolling back\n")


def test_guards_hold_in_a_rollback_as_well(repository: str, serve: FakeServe) -> None:
    apply(serve)
    THIRD.write_text(MODEL.format(name="third") + "rollout:\n  protect: true\n")
    commit(".", "A model that matters")
    apply(serve)
    ran = rollback(serve)
    assert ran.code == 1
    assert "! held: delete acme--third" in ran.out
    assert "acme--third" in configs(serve)
    assert rollback(serve, "--to", repository, "--allow-protected").code == 0
    assert set(configs(serve)) == {"gateway", "acme--chat", "acme--other", "neighbour"}


def test_the_neighbour_is_left_alone(two: tuple[str, str], serve: FakeServe) -> None:
    before: Mapping[str, Any] = configs(serve)["neighbour"]
    rollback(serve)
    assert configs(serve)["neighbour"] == before
    assert before["args"] == NEIGHBOUR["args"]


def test_a_registry_that_is_its_whole_repository(
    serve: FakeServe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path, "chat", "other")
    git(".", "init", "-q")
    first = commit(".", "One")
    assert run("apply", "--auto-approve", "--registry", ".", serve=serve).code == 0
    before = configs(serve)
    change(8, Path("acme--chat.yaml"))
    second = commit(".", "Two")
    assert run("apply", "--auto-approve", "--registry", ".", serve=serve).code == 0
    ran = rollback(serve, "--registry", ".", "--model", "acme/chat")
    assert ran.code == 0, ran.err
    assert configs(serve) == before
    assert advised(ran) == f"git revert --no-edit {second[:12]}"
    assert records(serve)[0].commit == first


def test_programs_are_told_what_happens(two: tuple[str, str], serve: FakeServe) -> None:
    ran = rollback(serve, "--events", "-")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert (lines[0]["event"], lines[-1]["event"]) == ("started", "ended")
    assert ran.err.startswith("rolling back\n")
    assert rollback(serve, "--events", "-", "--format", "json").code == 64


def test_another_run_is_waited_for_and_the_plan_made_anew(two: tuple[str, str], serve: FakeServe) -> None:
    number = len(serve.board.submitted) + 1
    theirs = {"kind": "lease", "nonce": "n", "who": "them", "where": "w", "since": "S", "until": "U"}
    serve.submit_job(f"reconciler-lease-{number}", "sleep 60", theirs)
    serve.advance(2)
    ran = rollback(serve)
    assert ran.code == 0, ran.err
    assert "waiting for the lease" in ran.err
    assert ran.out.count("rolling back\n") == 2
    assert records(serve)[0].rolled_back_from == two[1]
