import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.errors import StateUnknown
from reconciler.apply.outcome import Outcome
from reconciler.cli import carry_out
from reconciler.serve.errors import PutRefused
from reconciler.state.live import LiveState
from reconciler.state.provenance import history, load_seconds
from tests.support.cli import NEIGHBOUR, edited, gateway_config, run
from tests.support.fake_serve import FakeServe

CHAT = "acme--chat.yaml"


@pytest.fixture
def applied(registry: Path, serve: FakeServe) -> FakeServe:
    """A cluster that is as the registry says."""
    assert run("apply", "--auto-approve", serve=serve).code == 0
    return serve


def live(serve: FakeServe) -> LiveState:
    state = serve.live_state()
    assert isinstance(state, LiveState)
    return state


def replica_ids(serve: FakeServe, name: str) -> tuple[str, ...]:
    application = live(serve).application(name)
    assert application is not None
    return application.replica_ids


def test_the_first_apply_creates_everything_and_says_so(registry: Path, serve: FakeServe) -> None:
    ran = run("apply", "--auto-approve", serve=serve)
    assert ran.code == 0
    assert ran.out.endswith("Apply: 3 applied\n")
    assert "acme--chat: answered a real request" in ran.err
    assert {application.name for application in live(serve).applications} == {
        "gateway",
        "acme--chat",
        "acme--other",
        "neighbour",
    }


def test_a_second_apply_sends_nothing(applied: FakeServe) -> None:
    sent = len(applied.puts)
    ran = run("apply", "--auto-approve", serve=applied)
    assert ran.code == 0
    assert "Nothing to do" in ran.out
    assert len(applied.puts) == sent


def test_the_gateway_remembers_who_applied_what(registry: Path, serve: FakeServe) -> None:
    run("apply", "--auto-approve", serve=serve, variables={"GITHUB_ACTOR": "octocat", "TERM": "dumb"})
    provenance = gateway_config(serve)["provenance"]
    assert provenance["who"] == "octocat"
    assert provenance["time"].endswith("+00:00")
    assert (provenance["commit"], provenance["version"]) == (None, "0.1.0")


def test_an_edit_that_scales_keeps_the_replicas(applied: FakeServe, registry: Path) -> None:
    before = replica_ids(applied, "acme--chat")
    with edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"):
        ran = run("apply", "--auto-approve", serve=applied)
    assert ran.code == 0
    assert f"same replicas {before[0]}" in ran.out
    assert replica_ids(applied, "acme--chat") == before


def test_an_engine_argument_replaces_the_replicas(applied: FakeServe, registry: Path) -> None:
    [before] = replica_ids(applied, "acme--chat")
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 8"):
        ran = run("apply", "--auto-approve", serve=applied)
    [after] = replica_ids(applied, "acme--chat")
    assert ran.code == 0
    assert f"replicas before {before}, after {after}" in ran.out


def test_a_failed_model_makes_the_exit_code_1_and_names_the_cause(applied: FakeServe, registry: Path) -> None:
    applied.fails = lambda config: "CUDA out of memory" if "chat" in config["name"] else None
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 8"):
        ran = run("apply", "--auto-approve", serve=applied)
    assert ran.code == 1
    assert "acme--chat: failed and rolled back" in ran.out
    assert "cause: " in ran.out


def test_json_is_on_stdout_and_the_plan_on_stderr(registry: Path, serve: FakeServe) -> None:
    ran = run("apply", "--auto-approve", "--format", "json", serve=serve)
    document = json.loads(ran.out)
    assert document["failed"] is False
    assert [outcome["result"] for outcome in document["outcomes"]] == ["applied"] * 3
    assert "Plan: 3 to create" in ran.err


def test_without_a_terminal_somebody_has_to_approve(registry: Path, serve: FakeServe) -> None:
    ran = run("apply", serve=serve)
    assert (ran.code, ran.out) == (64, "")
    assert "`--auto-approve`" in ran.err
    assert serve.puts == []


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yess\n"])
def test_anything_but_yes_at_the_terminal_changes_nothing(registry: Path, serve: FakeServe, answer: str) -> None:
    ran = run("apply", serve=serve, terminal=True, answer=answer)
    assert ran.code == 1
    assert "Apply this plan? [y/N] " in ran.err
    assert ran.err.endswith("nothing was changed\n")
    assert serve.puts == []


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes_at_the_terminal_applies(registry: Path, serve: FakeServe, answer: str) -> None:
    assert run("apply", serve=serve, terminal=True, answer=answer).code == 0
    assert replica_ids(serve, "acme--chat")


def test_nothing_to_do_asks_nothing(applied: FakeServe) -> None:
    ran = run("apply", serve=applied, terminal=True)
    assert ran.code == 0
    assert "[y/N]" not in ran.err


def test_a_plan_file_is_carried_out(registry: Path, serve: FakeServe) -> None:
    run("plan", "--out", "plan.json", serve=serve)
    ran = run("apply", "plan.json", serve=serve)
    assert ran.code == 0
    assert ran.out.endswith("Apply: 3 applied\n")


def test_a_stale_plan_is_refused_with_the_reasons(registry: Path, serve: FakeServe) -> None:
    run("plan", "--out", "plan.json", serve=serve)
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 8"):
        ran = run("apply", "plan.json", serve=serve)
    assert (ran.code, ran.out) == (1, "")
    assert "the plan may not be applied any more:\n  - " in ran.err
    assert serve.puts == []


def test_allow_flags_belong_to_the_plan(registry: Path, serve: FakeServe) -> None:
    run("plan", "--out", "plan.json", serve=serve)
    ran = run("apply", "plan.json", "--allow-delete", serve=serve)
    assert (ran.code, serve.puts) == (64, [])


def test_a_held_action_makes_the_exit_code_1(applied: FakeServe, registry: Path) -> None:
    for file in registry.glob("acme--*.yaml"):
        file.write_text(file.read_text() + "enabled: false\n")
    ran = run("apply", "--auto-approve", serve=applied)
    assert ran.code == 1
    assert "! held: delete acme--chat" in ran.out
    assert "2 actions held" in ran.err
    assert run("apply", "--auto-approve", "--allow-delete", serve=applied).code == 0
    assert {application.name for application in live(applied).applications} == {"gateway", "neighbour"}


def test_somebody_else_writing_meanwhile_stops_it_and_says_so(registry: Path, serve: FakeServe) -> None:
    reads = iter(range(100))

    def intrude() -> None:
        if next(reads) == 1:
            serve.intrude({"applications": [NEIGHBOUR, {**NEIGHBOUR, "name": "late", "route_prefix": "/late"}]})

    serve.before_read = intrude
    ran = run("apply", "--auto-approve", serve=serve)
    assert ran.code == 1
    assert "the cluster changed since the plan was made (appeared: `late`)" in ran.err
    assert serve.puts == []


def test_the_first_signal_stops_at_a_safe_point_with_130(registry: Path, serve: FakeServe) -> None:
    def interrupt(document: Mapping[str, Any]) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    serve.after_put = interrupt
    ran = run("apply", "--auto-approve", serve=serve)
    assert ran.code == 130
    assert "stopping at the next safe point" in ran.err
    assert "Apply: " in ran.out
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_run_after_an_interrupted_one_waits_for_what_that_one_began(registry: Path, serve: FakeServe) -> None:
    test_the_first_signal_stops_at_a_safe_point_with_130(registry, serve)
    serve.after_put = None
    ran = run("apply", "--auto-approve", serve=serve)
    assert ran.code == 0
    assert "waited for as well: " in ran.err
    assert len(serve.puts) == 1


def test_packages_are_uploaded_before_the_first_put(registry: Path, serve: FakeServe) -> None:
    uploaded: list[set[str]] = []
    serve.before_put = lambda document: uploaded.append(set(serve.packages))
    text = "runtime_packages:\n  engine: image\n  gateway: image\n"
    with edited(registry / "clusters" / "test.yaml", text, ""):
        assert run("apply", "--auto-approve", serve=serve).code == 0
    assert sorted(name.rsplit("-", 1)[0] for name in uploaded[0]) == ["reconciler-engine", "reconciler-gateway"]


def test_what_was_done_is_said_even_when_the_cluster_is_lost_afterwards(
    registry: Path, serve: FakeServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> tuple[Outcome, ...]:
        raise StateUnknown("the cluster cannot be read", "look at it")

    monkeypatch.setattr(carry_out, "wait_for", lose)
    ran = run("apply", "--auto-approve", serve=serve)
    assert ran.code == 1
    assert ran.out.endswith("Apply: 3 applied\n")
    assert ran.err.endswith("error: the cluster cannot be read\n\nhint: look at it\n")


def test_how_an_apply_ended_is_remembered_and_makes_no_plan_stale(registry: Path, serve: FakeServe) -> None:
    saved: list[int] = []

    def plan_beside(document: Mapping[str, Any]) -> None:
        serve.after_put = None
        with edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"):
            saved.append(run("plan", "--out", "other.json", serve=serve).code)

    serve.after_put = plan_beside
    assert run("apply", "--auto-approve", serve=serve).code == 0
    [record] = history(live(serve), "test")
    assert (record.counts, record.failed.names) == ({"applied": 3}, ())
    assert load_seconds(live(serve)).keys() == {"gateway", "acme--chat", "acme--other"}
    with edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"):
        ran = run("apply", "other.json", serve=serve)
    assert (saved, ran.code) == ([0], 0), ran.err
    assert len(history(live(serve))) == 2


def test_that_it_cannot_be_written_down_is_a_warning(applied: FakeServe, registry: Path) -> None:
    begun = len(applied.puts)

    def refuse(document: Mapping[str, Any]) -> None:
        if len(applied.puts) > begun:
            raise PutRefused(500, "no more")

    applied.before_put = refuse
    with edited(registry / CHAT, "max_replicas: 1", "max_replicas: 2"):
        ran = run("apply", "--auto-approve", serve=applied)
    assert ran.code == 0
    assert "warning: how this apply ended could not be written down on the cluster: " in ran.err
    assert history(live(applied))[0].counts is None


def test_an_apply_that_was_interrupted_stays_on_record_as_begun(registry: Path, serve: FakeServe) -> None:
    test_the_first_signal_stops_at_a_safe_point_with_130(registry, serve)
    [record] = history(live(serve))
    assert (record.counts, record.ended_well) == (None, False)


def test_without_a_gateway_of_ours_it_is_said_that_nothing_is_remembered(registry: Path, serve: FakeServe) -> None:
    theirs = {"name": "gateway", "route_prefix": "/g", "import_path": "g:build", "args": {"owner": "they"}}
    serve.intrude({"applications": [theirs]})
    serve.settle()
    ran = run("apply", "--auto-approve", serve=serve)
    assert "no gateway of this registry, so this apply is not remembered" in ran.err


def test_a_selection_changes_its_model_and_leaves_the_others_as_they_are(applied: FakeServe, registry: Path) -> None:
    others = {name: replica_ids(applied, name) for name in ("acme--other", "gateway", "neighbour")}
    for name in ("chat", "other"):
        path = registry / f"acme--{name}.yaml"
        path.write_text(path.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    ran = run("apply", "--model", "acme/chat", "--auto-approve", serve=applied)
    assert ran.code == 0
    assert ran.out.endswith("Apply: 1 applied\n")
    assert {name: replica_ids(applied, name) for name in others} == others
    assert "Nothing to do: the chosen models" in run("plan", "--model", "acme/chat", serve=applied).out
    assert "Plan: 1 to restart" in run("plan", serve=applied).out


def test_a_saved_selection_outlives_another_models_edit(applied: FakeServe, registry: Path) -> None:
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 8"):
        run("plan", "--model", "acme/chat", "--out", "plan.json", serve=applied)
        with edited(registry / "acme--other.yaml", "max_num_seqs: 4", "max_num_seqs: 16"):
            ran = run("apply", "plan.json", serve=applied)
        assert ran.code == 0
        assert ran.out.endswith("Apply: 1 applied\n")
        assert run("plan", "--detailed-exitcode", serve=applied).code == 0


def test_a_saved_selection_does_not_outlive_its_own(applied: FakeServe, registry: Path) -> None:
    sent = list(applied.puts)
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 8"):
        run("plan", "--model", "acme/*", "--out", "plan.json", serve=applied)
    with edited(registry / CHAT, "max_num_seqs: 4", "max_num_seqs: 16"):
        ran = run("apply", "plan.json", serve=applied)
    assert ran.code == 1
    assert "the chosen models has changed since" in ran.err
    assert applied.puts == sent


def test_the_models_belong_to_the_plan(registry: Path, serve: FakeServe) -> None:
    run("plan", "--out", "plan.json", serve=serve)
    ran = run("apply", "plan.json", "--model", "acme/chat", serve=serve)
    assert (ran.code, serve.puts) == (64, [])
    assert "give `--model` to `reconcile plan`" in ran.err


def test_a_selection_waits_only_for_what_it_is_about(applied: FakeServe, registry: Path) -> None:
    applied.sicken("acme--other", "cannot say hello")
    applied.advance(2)
    assert run("apply", "--model", "acme/chat", "--auto-approve", serve=applied).code == 0
    assert run("apply", "--auto-approve", serve=applied).code == 1
