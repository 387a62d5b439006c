"""What keeps a mistake from reaching the cluster: each brake says what releases it, and that does release it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.state.json_value import digest
from reconciler.state.traffic import ModelTraffic, Traffic
from tests.support.cli import CLUSTER, UNUSED, Ran, run, write_registry
from tests.support.fake_serve import FakeServe

BUSY = Traffic(7200.0, {"acme/m0": ModelTraffic(40, 3.0)})


@pytest.fixture
def four(registry: Path, serve: FakeServe) -> FakeServe:
    """A cluster with four models."""
    for path in registry.glob("acme--*.yaml"):
        path.unlink()
    write_registry(registry, *(f"m{number}" for number in range(4)))
    assert run("apply", "--auto-approve", serve=serve).code == 0
    return serve


def change(registry: Path, number: int, old: str, new: str) -> None:
    """Another text in a model's file."""
    path = registry / f"acme--m{number}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def restart(registry: Path, *numbers: int) -> None:
    """Change what only new replicas can have."""
    for number in numbers:
        change(registry, number, "max_num_seqs: 4", "max_num_seqs: 8")


def delete(registry: Path, *numbers: int) -> None:
    """No such models any more."""
    for number in numbers:
        (registry / f"acme--m{number}.yaml").unlink()


def outgrow(registry: Path) -> None:
    """A replica that finds no room beside the one it replaces."""
    change(registry, 0, "num_cpus_per_worker: 1", "num_cpus_per_worker: 6")


def restart_protected(registry: Path) -> None:
    """A restart of what is not to be restarted."""
    restart(registry, 3)
    change(registry, 3, "engine_config:", "rollout: {protect: true}\nengine_config:")


def change_all(registry: Path) -> None:
    """Three restarts and a delete: nothing stays as it is."""
    restart(registry, 0, 1, 2)
    delete(registry, 3)


MISTAKES: dict[str, tuple[Callable[[Path], None], str, Traffic]] = {
    "mass-change": (change_all, "--allow-mass-change", UNUSED),
    "mass-delete": (lambda registry: delete(registry, 0, 1), "--allow-delete", UNUSED),
    "still-in-use": (lambda registry: delete(registry, 0), "--allow-delete", BUSY),
    "protected": (restart_protected, "--allow-protected", UNUSED),
    "needs-room": (outgrow, "--allow-downtime", UNUSED),
}


@pytest.mark.parametrize("guard", MISTAKES)
def test_what_looks_like_a_mistake_waits_for_the_flag_that_the_plan_names(
    guard: str, four: FakeServe, registry: Path
) -> None:
    make, flag, usage = MISTAKES[guard]
    make(registry)
    held = run("apply", "--auto-approve", serve=four, usage=usage)
    assert held.code == 1
    assert f"(guard {guard})" in held.out
    assert re.findall(r"to release it: .*`(--allow-[a-z-]+)`", held.out)[0] == flag
    assert "held; the plan says what releases each" in held.err
    done = run("apply", "--auto-approve", flag, serve=four, usage=usage)
    assert done.code == 0
    assert "to release it" not in done.out
    assert run("plan", "--detailed-exitcode", serve=four, usage=usage).code == 0


def saved(four: FakeServe, registry: Path, **changes: Any) -> Ran:
    """What becomes of a plan file in which these keys were changed, with a seal that fits."""
    restart(registry, 0)
    assert run("plan", "--out", "plan.json", serve=four).code == 0
    document = {**json.loads(Path("plan.json").read_text()), **changes}
    del document["seal"]
    Path("plan.json").write_text(json.dumps({**document, "seal": digest(document)}))
    return refused(four)


def refused(four: FakeServe, *arguments: str) -> Ran:
    """An apply of the plan file that does nothing."""
    puts = len(four.puts)
    ran = run("apply", "plan.json", *arguments, serve=four)
    assert (ran.code, len(four.puts)) == (1, puts)
    return ran


def test_an_expired_plan_has_to_be_made_again(four: FakeServe, registry: Path) -> None:
    ran = saved(four, registry, expires="2020-01-01T00:00:00+00:00")
    assert "it expired at 2020-01-01 00:00 UTC" in ran.err
    assert "run `reconcile plan` again" in ran.err


def test_an_edited_plan_has_to_be_made_again(four: FakeServe, registry: Path) -> None:
    restart(registry, 0)
    assert run("plan", "--out", "plan.json", serve=four).code == 0
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace('"allow_delete": false', '"allow_delete": true'))
    ran = refused(four)
    assert "was edited after it was made" in ran.err
    assert "reconcile plan --out" in ran.err


def test_a_plan_for_another_cluster_is_not_for_this_one(four: FakeServe, registry: Path) -> None:
    restart(registry, 0)
    assert run("plan", "--out", "plan.json", serve=four).code == 0
    other = CLUSTER.replace("default: true", "default: false").replace("owner: test", "owner: other")
    (registry / "clusters" / "other.yaml").write_text(other)
    ran = refused(four, "--cluster", "other")
    assert "it was made for the cluster `test`, not `other`" in ran.err
    assert "run `reconcile plan` again" in ran.err


@pytest.mark.parametrize("trouble", ["lost", "redacted"])
def test_nothing_is_planned_from_what_must_not_be_believed(trouble: str, four: FakeServe, registry: Path) -> None:
    if trouble == "redacted":
        change(registry, 0, "engine_kwargs:", "runtime_env: {env_vars: {A: b}}\n  engine_kwargs:")
        assert run("apply", "--auto-approve", serve=four).code == 0
    puts = len(four.puts)
    setattr(four, trouble, True)
    for command in (("plan",), ("apply", "--auto-approve"), ("plan", "--allow-delete")):
        ran = run(*command, serve=four)
        assert (ran.code, ran.out) == (1, "")
        assert "hint: " in ran.err
    assert len(four.puts) == puts
