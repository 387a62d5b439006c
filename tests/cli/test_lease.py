"""The lease of `reconcile apply`."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.lease_record import Claim, LeaseRecord
from reconciler.apply.unlock import end_by_force, standing
from reconciler.serve.errors import JobsUnusable, Unauthorized
from tests.support.cli import Ran, edited, run
from tests.support.fake_serve import FakeServe

CHAT = "acme--chat.yaml"
THEM = Claim("them", "https://ci.example/7", "other", None, "1.0")
THEIRS = {"kind": "lease", "nonce": "n", "who": "them", "where": "https://ci.example/7", "since": "S", "until": "U"}


def apply(serve: FakeServe, *options: str, **given: Any) -> Ran:
    return run("apply", "--auto-approve", *options, serve=serve, **given)


def newest(serve: FakeServe) -> LeaseRecord:
    found = standing(serve)
    assert found is not None
    return found


def hold(serve: FakeServe, seconds: float) -> None:
    """Somebody else holds the lease for so long."""
    serve.submit_job("reconciler-lease-1", f"sleep {seconds}", THEIRS)
    serve.advance(2)


def test_an_apply_takes_the_lease_before_it_reads_and_gives_it_back(registry: Path, serve: FakeServe) -> None:
    seen: list[LeaseRecord] = []
    serve.before_put = lambda document: seen.append(newest(serve))
    ran = apply(serve, variables={"TERM": "dumb", "GITHUB_ACTOR": "octocat", "CI_JOB_URL": "https://ci.example/9"})
    assert ran.code == 0
    held, *later = seen
    assert held.is_held
    assert {record.number for record in later} == {1}, "as long as anything is written"
    assert (held.number, held.holder, held.claim.owner) == (1, "octocat from https://ci.example/9", "test")
    assert ran.err.index("lease 1 on the cluster taken") < ran.err.index("config with ")
    assert "lease given back\n" in ran.err
    assert not newest(serve).is_held


def test_nothing_to_do_needs_no_lease(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    before, sent = list(serve.board.submitted), len(serve.puts)
    assert apply(serve).code == 0
    assert serve.board.submitted == before
    assert len(serve.puts) == sent


def test_waiting_for_what_runs_already_needs_no_lease(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    before = list(serve.board.submitted)
    serve.sicken("acme--chat", "sick")
    serve.advance(5)
    ran = apply(serve)
    assert "waited for as well: acme--chat" in ran.err
    assert serve.board.submitted == before


def test_somebody_else_is_named_when_waiting_is_over(registry: Path, serve: FakeServe) -> None:
    hold(serve, 600)
    ran = apply(serve, "--lease-wait", "100")
    assert ran.code == 1
    assert serve.puts == []
    assert (
        "error: them from https://ci.example/7 writes to the cluster now (since S, until U unless renewed)" in ran.err
    )
    assert "`reconcile unlock --force`" in ran.err
    assert ran.err.count("waiting for the lease, ") == 4
    assert "Apply: 3 skipped" in ran.out


def test_a_wait_of_nothing_is_a_moment(registry: Path, serve: FakeServe) -> None:
    hold(serve, 600)
    begun = serve.now
    assert apply(serve, "--lease-wait", "0").code == 1
    assert serve.now - begun < 10


def test_outcomes_of_a_run_that_could_not_begin_are_there_for_programs(registry: Path, serve: FakeServe) -> None:
    hold(serve, 600)
    ran = apply(serve, "--lease-wait", "0", "--format", "json")
    document = json.loads(ran.out)
    assert document["failed"] is True
    assert {outcome["result"] for outcome in document["outcomes"]} == {"skipped"}


def test_a_run_that_waited_plans_anew(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    hold_number = len(serve.board.submitted) + 1
    serve.submit_job(f"reconciler-lease-{hold_number}", "sleep 60", THEIRS)
    serve.advance(2)

    def other_run(call: str) -> None:
        # The one that holds the lease does the same change meanwhile, and one more.
        if call == "list" and len(serve.board.calls) > calls + 10:
            serve.board.before = None
            live = [dict(config) for config in serve.puts[-1]["applications"]]
            for config in live:
                if config["name"] == "acme--chat":
                    config["deployments"] = [
                        {**entry, "autoscaling_config": {**entry["autoscaling_config"], "max_replicas": 2}}
                        for entry in config["deployments"]
                    ]
            serve.intrude({**serve.puts[-1], "applications": live})
            serve.advance(5)

    calls = len(serve.board.calls)
    serve.board.before = other_run
    with (
        edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"),
        edited(registry / "acme--other.yaml", "max_num_seqs: 4", "max_num_seqs: 8"),
    ):
        ran = apply(serve, "--events", "events.jsonl")
    assert ran.code == 0
    told = [json.loads(line)["event"] for line in Path("events.jsonl").read_text().splitlines()]
    assert told[:2] == ["started", "lease-awaited"]
    assert told[told.index("lease-taken") + 1 :][:2] == ["planned-again", "wave-started"]
    plans = [line for line in ran.out.splitlines() if line.startswith("Plan: ")]
    assert len(plans) == 2
    assert plans[0] != plans[1]
    assert "Apply: 1 applied" in ran.out


def test_a_plan_that_somebody_approved_is_not_made_anew(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    number = len(serve.board.submitted) + 1
    serve.submit_job(f"reconciler-lease-{number}", "sleep 60", THEIRS)
    serve.advance(2)

    def other_run(call: str) -> None:
        if call == "list" and len(serve.board.calls) > calls + 10:
            serve.board.before = None
            serve.intrude({**serve.puts[-1], "applications": serve.puts[-1]["applications"][:-1]})

    calls, sent = len(serve.board.calls), len(serve.puts)
    serve.board.before = other_run
    with edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"):
        ran = run("apply", serve=serve, terminal=True, answer="yes\n")
    assert ran.code == 1
    assert "the cluster changed since the plan was made" in ran.err
    assert len(serve.puts) == sent


def test_without_a_job_api_it_says_how_to_go_on(registry: Path, serve: FakeServe) -> None:
    def refuse(call: str) -> None:
        raise JobsUnusable("the job API of the Ray dashboard cannot be used: it answered 404")

    serve.board.before = refuse
    ran = apply(serve)
    assert ran.code == 1
    assert serve.puts == []
    assert "no lease can be taken on the cluster: the job API" in ran.err
    ran = apply(serve, "--no-lease")
    assert ran.code == 0
    assert serve.puts != []
    assert "lease" not in ran.err


def test_a_run_whose_lease_is_ended_writes_no_more(registry: Path, serve: FakeServe) -> None:
    def unlock() -> None:
        if serve.board.submitted and not serve.puts:
            serve.before_read = None
            end_by_force(serve, THEM)

    serve.before_read = unlock
    ran = apply(serve)
    assert ran.code == 1
    assert serve.puts == []
    assert "them from https://ci.example/7 ended its lease by force" in ran.err
    assert len(serve.board.submitted) == 2, "a lease that was lost is not given back"


def interrupt(serve: FakeServe, when: Callable[[], bool]) -> Callable[[str], None]:
    def hook(call: str) -> None:
        if when():
            serve.board.before = None
            os.kill(os.getpid(), signal.SIGINT)

    return hook


def test_an_interrupt_while_waiting_ends_it(registry: Path, serve: FakeServe) -> None:
    hold(serve, 600)
    serve.board.before = interrupt(serve, lambda: len(serve.board.calls) > 10)
    ran = apply(serve)
    assert ran.code == 130
    assert serve.puts == []
    assert serve.board.submitted == ["reconciler-lease-1"]
    assert "Apply: 3 skipped" in ran.out


def test_an_interrupt_gives_the_lease_back(registry: Path, serve: FakeServe) -> None:
    serve.before_put = lambda document: os.kill(os.getpid(), signal.SIGINT)
    ran = apply(serve)
    assert ran.code == 130
    assert "lease given back" in ran.err
    assert not newest(serve).is_held


def test_an_error_gives_the_lease_back(registry: Path, serve: FakeServe) -> None:
    def refuse(document: object) -> None:
        raise Unauthorized("the Ray dashboard refuses the token (403)")

    serve.before_put = refuse
    assert apply(serve).code == 1
    assert not newest(serve).is_held


def test_a_lease_that_cannot_be_given_back_is_said(registry: Path, serve: FakeServe) -> None:
    def fail(call: str) -> None:
        if call == "stop":
            raise Unauthorized("no")

    serve.board.before = fail
    ran = apply(serve)
    assert ran.code == 0
    assert "the lease could not be given back; it ends by itself within 180 s" in ran.err


@pytest.mark.parametrize("seconds", ["-1", "soon"])
def test_a_wait_that_is_no_time_is_wrong_usage(registry: Path, serve: FakeServe, seconds: str) -> None:
    assert apply(serve, "--lease-wait", seconds).code == 64


def test_a_lease_that_is_lost_at_the_end_leaves_it_unsaid_how_the_apply_ended(registry: Path, serve: FakeServe) -> None:
    def unlock(document: object) -> None:
        serve.after_put = None
        end_by_force(serve, THEM)

    serve.after_put = unlock
    ran = apply(serve)
    assert ran.code == 0
    assert len(serve.puts) == 1
    assert "warning: how this apply ended could not be written down on the cluster: " in ran.err
    assert "ended its lease by force" in ran.err
