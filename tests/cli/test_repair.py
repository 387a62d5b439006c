from pathlib import Path
from typing import Any

import pytest

from reconciler.apply import repair, repair_job
from reconciler.serve.errors import PutRefused, ServeError, Unauthorized, Unreachable
from reconciler.serve.job import JobStatus
from reconciler.state.live import LiveState
from tests.support.cli import NEIGHBOUR, run
from tests.support.fake_serve import FakeServe

POISON: dict[str, Any] = {**NEIGHBOUR, "runtime_env": {"env_vars": {"FLAG": False, "TOKEN": "hush-hush"}}}


@pytest.fixture
def sick(registry: Path, serve: FakeServe) -> FakeServe:
    """The models run, and somebody has poisoned the neighbour."""
    assert run("apply", "--auto-approve", serve=serve).code == 0
    poison(serve)
    serve.puts.clear()
    return serve


def poison(serve: FakeServe, config: dict[str, Any] = POISON) -> None:
    """Somebody else sends a config that Ray refuses."""
    live = serve.live_state()
    assert isinstance(live, LiveState)
    kept = [
        entry.application.config for entry in live.applications if entry.application and entry.name != config["name"]
    ]
    with pytest.raises(PutRefused):
        serve.intrude({"applications": [*kept, config]})


def repairs(serve: FakeServe) -> list[str]:
    """The jobs of repairs."""
    return [job_id for job_id in serve.board.submitted if job_id.startswith(repair_job.JOB_PREFIX)]


def ids(serve: FakeServe) -> dict[str, tuple[str, ...]]:
    """The replicas that serve, by application."""
    live = serve.live_state()
    assert isinstance(live, LiveState)
    return {entry.name: entry.replica_ids for entry in live.applications}


def test_a_healthy_cluster_is_left_alone(registry: Path, serve: FakeServe) -> None:
    ran = run("repair", "--auto-approve", serve=serve)
    assert (ran.code, ran.out) == (0, "nothing to repair: Serve lists its applications and can read what it stored\n")
    assert repairs(serve) == []


def test_a_cluster_without_any_application_is_looked_at_and_left_alone(registry: Path) -> None:
    serve = FakeServe()
    ran = run("repair", "--auto-approve", serve=serve)
    assert ran.code == 0 and ran.out.startswith("nothing to repair")
    assert len(repairs(serve)) == 1


def test_an_application_that_is_just_being_built_is_no_reason(registry: Path, serve: FakeServe) -> None:
    serve.intrude({"applications": [{**NEIGHBOUR, "args": {"greeting": "new"}}]})
    ran = run("repair", "--auto-approve", serve=serve)
    assert ran.code == 0 and ran.out.startswith("nothing to repair")


def test_apply_refuses_to_send_what_would_be_refused(sick: FakeServe, registry: Path) -> None:
    (registry / "acme--other.yaml").unlink()
    ran = run("apply", "--auto-approve", "--allow-delete", serve=sick)
    assert ran.code == 1
    assert "the stored config of `neighbour` has environment variables that are not text: `FLAG`" in ran.err
    assert "`reconcile repair`" in ran.err
    assert sick.puts == []


@pytest.mark.parametrize("killed", [False, True])
def test_serve_comes_back_with_everything(sick: FakeServe, killed: bool) -> None:
    if killed:
        sick.kill_controller()
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 0, ran.err
    assert "FLAG` is not text" in ran.out
    assert "the config that its replicas run is stored again; they go on" in ran.out
    assert ("a controller is started" in ran.out) == killed
    assert "repaired: Serve lists acme--chat, acme--other, gateway, neighbour; 4 replicas of before go on" in ran.out
    assert "hush-hush" not in ran.out + ran.err
    assert run("plan", "--detailed-exitcode", serve=sick).code == 0
    assert all(ids(sick).values())


def test_a_lost_list_leads_to_the_repair(sick: FakeServe) -> None:
    sick.kill_controller()
    ran = run("plan", serve=sick)
    assert ran.code == 1 and "`reconcile repair`" in ran.err


def test_nothing_is_done_without_leave(sick: FakeServe) -> None:
    ran = run("repair", serve=sick)
    assert ran.code == 64 and "give `--auto-approve`" in ran.err
    ran = run("repair", serve=sick, terminal=True, answer="n\n")
    assert ran.code == 1 and "nothing was changed" in ran.err
    assert len(repairs(sick)) == 2
    ran = run("repair", serve=sick, terminal=True, answer="y\n")
    assert ran.code == 0


def test_what_cannot_be_mended_is_deleted_only_where_that_is_asked_for(registry: Path, serve: FakeServe) -> None:
    new = {**POISON, "name": "new", "route_prefix": "/new"}
    poison(serve, new)
    ran = run("repair", "--auto-approve", serve=serve)
    assert ran.code == 1
    assert "no way is known to mend what is stored for new" in ran.err
    assert "`--drop new` deletes it and stops its replicas" in ran.err
    ran = run("repair", "--auto-approve", "--drop", "new", "--drop", "neighbour", serve=serve)
    assert ran.code == 64 and "no need to delete neighbour" in ran.err
    ran = run("repair", "--auto-approve", "--drop", "new", serve=serve)
    assert ran.code == 0 and "new: deleted, 0 replicas stopped" in ran.out
    assert set(ids(serve)) <= {"neighbour", "new"}
    assert len(ids(serve)["neighbour"]) == 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"shutting_down": True}, "Serve is shutting down"),
        ({"stored": False}, "Serve has nothing stored, though replicas live"),
        ({}, "lives and can read what it stored, but its list cannot be read from here"),
    ],
)
def test_what_a_repair_cannot_help_is_told(
    sick: FakeServe, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], said: str
) -> None:
    sick.kill_controller()
    report = {"controller_lives": True, "shutting_down": False, "stored": True, "imperative": [], "applications": []}
    monkeypatch.setattr(sick, "job_output", lambda job_id: f"RECONCILER-REPAIR {_json({**report, **found})}\n")
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and said in ran.err
    assert len(repairs(sick)) == 1


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def test_an_answer_that_is_hidden_is_no_business_of_a_repair(sick: FakeServe) -> None:
    sick.redacted = True
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and "<redacted>" in ran.err
    assert repairs(sick) == []


def test_a_dashboard_that_wants_a_token_is_told_as_ever(sick: FakeServe) -> None:
    def refuse() -> None:
        raise Unauthorized("it wants a token")

    sick.before_read = refuse
    assert "it wants a token" in run("repair", "--auto-approve", serve=sick).err


def test_a_serve_that_does_not_answer_is_looked_at(sick: FakeServe) -> None:
    left = [1]

    def busy() -> None:
        if left[0]:
            left[0] -= 1
            raise Unreachable("the dashboard is not ready (503)")

    sick.before_read = busy
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 0 and "not ready (503)" in ran.out


def test_a_job_that_fails_is_told_with_its_last_line(sick: FakeServe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sick, "job_output", lambda job_id: "Running entrypoint for job\nImportError: no ray\n")
    submit = sick.submit_job

    def failing(job_id: str, entrypoint: str, metadata: Any) -> bool:
        submit(job_id, entrypoint, metadata)
        sick.board.fail(job_id)
        return True

    monkeypatch.setattr(sick, "submit_job", failing)
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and f"ended {JobStatus.FAILED}: ImportError: no ray" in ran.err


def test_a_job_that_never_runs_is_given_up(sick: FakeServe) -> None:
    sick.board.starts = False
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and f"did not end within {repair_job.LIMIT_S:.0f} s" in ran.err


@pytest.mark.parametrize("output", ["", "RECONCILER-REPAIR {", "RECONCILER-REPAIR []", "RECONCILER-REPAIR {}"])
def test_a_job_without_a_report_is_a_bad_answer(sick: FakeServe, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.setattr(sick, "job_output", lambda job_id: output)
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and "what Ray 2.60 answers" in ran.err


def test_a_mending_that_fails_is_told(sick: FakeServe, monkeypatch: pytest.MonkeyPatch) -> None:
    examined = repair_job.RepairJob._run

    def failing(self: repair_job.RepairJob, *arguments: str) -> Any:
        return {"error": "the dashboard answered 500"} if arguments[0] == "mend" else examined(self, *arguments)

    monkeypatch.setattr(repair_job.RepairJob, "_run", failing)
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and "could not be mended: the dashboard answered 500" in ran.err
    assert "nothing that serves was stopped" in ran.err


def test_what_does_not_come_back_is_named(sick: FakeServe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "PROOF_S", 3.0)
    mend = repair_job.RepairJob.mend

    def forgetful(self: repair_job.RepairJob, drop: Any = ()) -> None:
        mend(self, drop)
        live = sick.live_state()
        assert isinstance(live, LiveState)
        gone = ("acme--other",)
        kept = [entry.application.config for entry in live.applications if entry.application and entry.name not in gone]
        sick.intrude({"applications": kept})
        sick.advance(30)

    monkeypatch.setattr(repair_job.RepairJob, "mend", forgetful)
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1
    assert "not everything is back:" in ran.out and "`acme--other` is not listed" in ran.out


def test_the_script_travels_whole() -> None:
    import base64
    import re
    import zlib

    command = repair_job.entrypoint(["mend", "it's"])
    packed = re.search(r"b64decode\('?\"?'?\"?'?([A-Za-z0-9+/=]{100,})", command)
    assert packed is not None
    source = zlib.decompress(base64.b64decode(packed[1])).decode()
    assert source == Path("runtime/repair/stored_config.py").read_text()
    assert "import reconciler" not in source and "from reconciler" not in source
    assert command.endswith(" mend 'it'\"'\"'s'")


def test_errors_of_the_cluster_are_not_hidden(sick: FakeServe, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(job_id: str, entrypoint: str, metadata: Any) -> bool:
        raise ServeError("the dashboard did not take a job (500): no agent")

    monkeypatch.setattr(sick, "submit_job", refuse)
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and "did not take a job" in ran.err


def test_it_is_done_under_the_lease_of_the_cluster(sick: FakeServe) -> None:
    sick.submit_job("reconciler-lease-9", "sleep 3600", {})
    ran = run("repair", "--auto-approve", "--lease-wait", "0", serve=sick)
    assert ran.code == 1 and "reconcile unlock" in ran.err
    assert len(repairs(sick)) == 1
    assert run("repair", "--auto-approve", "--no-lease", serve=sick).code == 0


def test_what_another_run_mended_meanwhile_is_looked_at_again(sick: FakeServe) -> None:
    sick.submit_job("reconciler-lease-9", "sleep 20", {})
    advance = sick.advance
    left = [8]

    def mended_meanwhile(seconds: float) -> None:
        advance(seconds)
        left[0] -= 1
        if left[0] == 0:
            live = sick.live_state()
            assert isinstance(live, LiveState)
            configs = [entry.application.config for entry in live.applications if entry.application]
            sick.intrude({"applications": [config for config in configs if config["name"] != "neighbour"]})

    sick.advance = mended_meanwhile  # type: ignore[method-assign]
    ran = run("repair", "--auto-approve", serve=sick)
    assert ran.code == 1 and "changed while this run waited to write" in ran.err
