import json
from pathlib import Path

import pytest

from reconciler.apply.unlock import standing
from reconciler.serve.errors import JobsUnusable
from tests.support.cli import run
from tests.support.fake_serve import FakeServe

THEIRS = {
    "kind": "lease",
    "nonce": "n",
    "who": "them",
    "where": "https://ci.example/7",
    "owner": "team-b",
    "commit": "c" * 40,
    "since": "2026-01-02T10:00:00+00:00",
    "until": "2026-01-02T10:03:00+00:00",
}
SAID = (
    "lease 1 held by them from https://ci.example/7 since 2026-01-02T10:00:00+00:00, until 2026-01-02T10:03:00+00:00 "
    "unless renewed, registry `team-b` at commit cccccccccccc\n"
)


@pytest.fixture
def held(registry: Path, serve: FakeServe) -> FakeServe:
    """A cluster that somebody else writes to."""
    serve.submit_job("reconciler-lease-1", "sleep 600", THEIRS)
    serve.advance(2)
    return serve


def is_held(serve: FakeServe) -> bool:
    record = standing(serve)
    return record is not None and record.is_held


def test_a_lease_that_nobody_holds(registry: Path, serve: FakeServe) -> None:
    assert run("unlock", serve=serve).out == "nobody holds the lease\n"
    assert json.loads(run("unlock", "--force", "--format", "json", serve=serve).out) == {"held": False}
    assert serve.board.submitted == []


def test_it_is_shown(held: FakeServe) -> None:
    ran = run("unlock", serve=held)
    assert (ran.code, ran.out) == (0, SAID)
    assert is_held(held)


def test_it_is_shown_to_programs(held: FakeServe) -> None:
    document = json.loads(run("unlock", "--format", "json", serve=held).out)
    assert document == {
        "held": True,
        "number": 1,
        "job": "reconciler-lease-1",
        "who": "them",
        "where": "https://ci.example/7",
        "since": "2026-01-02T10:00:00+00:00",
        "until": "2026-01-02T10:03:00+00:00",
        "owner": "team-b",
        "commit": "c" * 40,
        "version": "",
    }


def test_status_shows_it(held: FakeServe) -> None:
    assert SAID in run("status", serve=held).out
    assert json.loads(run("status", "--format", "json", serve=held).out)["lease"]["who"] == "them"
    held.advance(700)
    assert "lease" not in run("status", serve=held).out
    assert json.loads(run("status", "--format", "json", serve=held).out)["lease"] == {"held": False}


def test_status_without_a_job_api(held: FakeServe) -> None:
    def refuse(call: str) -> None:
        raise JobsUnusable("no jobs here")

    held.board.before = refuse
    ran = run("status", "--format", "json", serve=held)
    assert ran.code == 0
    assert json.loads(ran.out)["lease"] is None
    assert "whether somebody writes to the cluster now is not known: no jobs here" in ran.err


def test_it_is_ended_with_approval(held: FakeServe) -> None:
    ran = run("unlock", "--force", "--auto-approve", serve=held)
    assert (ran.code, ran.out) == (0, f"ended: {SAID}")
    assert not is_held(held)
    record = standing(held)
    assert record is not None
    assert record.is_unlock


def test_a_broken_model_file_keeps_nobody_from_it(held: FakeServe, registry: Path) -> None:
    (registry / "acme--chat.yaml").write_text("engine_config: [")
    assert run("unlock", "--force", "--auto-approve", serve=held).code == 0
    assert not is_held(held)


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("no\n", 1), ("", 1)])
def test_a_person_is_asked(held: FakeServe, answer: str, code: int) -> None:
    ran = run("unlock", "--force", serve=held, terminal=True, answer=answer)
    assert ran.code == code
    assert SAID in ran.err
    assert is_held(held) is bool(code)


def test_without_a_terminal_somebody_has_to_approve(held: FakeServe) -> None:
    assert run("unlock", "--force", serve=held).code == 64
    assert is_held(held)


def test_approving_nothing_is_wrong_usage(held: FakeServe) -> None:
    assert run("unlock", "--auto-approve", serve=held).code == 64
