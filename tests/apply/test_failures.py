from dataclasses import replace

from reconciler.apply.events import DocumentSent, RollbackStarted
from reconciler.apply.outcome import Result
from reconciler.apply.smoke import SmokeFailed
from reconciler.state.json_value import same
from reconciler.state.live import ApplicationStatus
from tests.support.fake_serve import FakeServe
from tests.support.stage import NEIGHBOUR, Stage, staged
from tests.support.states import desired, model, replicas
from tests.support.trouble import (
    BROKEN,
    BROKEN_MODEL,
    CHAT,
    CHAT_MODEL,
    CODER,
    CODER_MODEL,
    FAILURE,
    ONE,
    RESTARTED,
    SCALED,
    TWO,
    broken,
    refuse_second,
    restarted,
    stuck_after_rollback,
    unanswered,
)


def test_a_create_that_fails_is_removed_again_and_its_route_with_it() -> None:
    stage = staged(desired(CODER_MODEL))
    outcome = stage.apply(desired(CODER_MODEL, BROKEN_MODEL))[CHAT]
    assert outcome.result is Result.ROLLED_BACK
    assert outcome.message == "it failed to run; removed again"
    assert outcome.cause is not None and "the GPU ran out of memory" in outcome.cause
    assert any(FAILURE in line for line in outcome.log_excerpt)
    assert stage.live().application(CHAT) is None
    assert list(stage.config("gateway")["deployments"][0]["user_config"]["models"]) == ["org/coder"]
    assert RollbackStarted(CHAT, outcome.cause) in stage.events
    assert DocumentSent(2, f"roll back {CHAT}") in stage.events


def test_a_failed_update_with_surge_goes_back_and_keeps_the_old_replica() -> None:
    stage = staged(ONE, NEIGHBOUR)
    before, neighbour = stage.ids(CHAT), stage.ids("neighbour")
    outcome = stage.apply(BROKEN)[CHAT]
    assert outcome.result is Result.ROLLED_BACK
    assert outcome.message.endswith("; its previous config serves again")
    assert stage.ids(CHAT) == before == outcome.replicas_before == outcome.replicas_after
    assert stage.ids("neighbour") == neighbour
    assert stage.plan(ONE).waves == ()
    assert len(stage.serve.puts) == 2


def test_two_that_fail_hold_up_nobody() -> None:
    stage = Stage()
    names = ("org/bad", "org/good", "org/worse")
    wanted = [model(name, engine={"engine_kwargs": {} if name == "org/good" else {"fail": "no"}}) for name in names]
    outcomes = stage.apply(desired(*wanted))
    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "gateway": Result.APPLIED,
        "org--bad": Result.ROLLED_BACK,
        "org--good": Result.APPLIED,
        "org--worse": Result.ROLLED_BACK,
    }
    assert list(stage.config("gateway")["deployments"][0]["user_config"]["models"]) == ["org/good"]
    assert stage.application("org--good").status is ApplicationStatus.RUNNING


def test_a_later_wave_carries_what_failed_before_it_as_it_is_now() -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.apply(TWO)
    before = stage.ids(CHAT)
    plan = stage.plan(desired(BROKEN_MODEL, restarted("org/coder")))
    assert [len(wave.actions) for wave in plan.waves] == [1, 1]
    outcomes = {outcome.application: outcome.result for outcome in stage.carry_out(plan)}
    assert outcomes == {CHAT: Result.ROLLED_BACK, CODER: Result.APPLIED}
    assert stage.ids(CHAT) == before
    assert stage.plan(desired(CHAT_MODEL, restarted("org/coder"))).waves == ()


def test_a_later_wave_does_not_bring_back_a_create_that_failed() -> None:
    stage = staged(ONE)
    created, restart = stage.plan(desired(CHAT_MODEL, broken("org/new"))), stage.plan(RESTARTED)
    document = {
        **created.waves[0].document,
        "applications": [
            *(entry for entry in created.waves[0].document["applications"] if entry["name"] != CHAT),
            *(entry for entry in restart.waves[0].document["applications"] if entry["name"] == CHAT),
        ],
    }
    plan = replace(created, waves=(*created.waves, replace(restart.waves[0], document=document)))
    outcomes = {outcome.application: outcome.result for outcome in stage.carry_out(plan)}
    assert outcomes == {"gateway": Result.APPLIED, "org--new": Result.ROLLED_BACK, CHAT: Result.APPLIED}
    assert stage.live().application("org--new") is None
    assert list(stage.config("gateway")["deployments"][0]["user_config"]["models"]) == ["org/chat"]


def test_a_model_that_does_not_become_ready_in_time_goes_back() -> None:
    stage = staged(ONE)
    before = stage.ids(CHAT)
    stage.serve.startup_s = 1000.0
    slow = model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}, rollout={"timeout_s": 30.0})
    outcome = stage.apply(desired(slow))[CHAT]
    assert outcome.result is Result.TIMED_OUT
    assert "not done after 30 s (0 of 1 new replicas run, starting new replicas; 1 of the old" in outcome.message
    assert stage.ids(CHAT) == before


def test_a_model_that_runs_but_does_not_answer_goes_back() -> None:
    stage = staged(ONE)
    stage.smoke.trouble = unanswered("org/chat")
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.ROLLED_BACK
    assert "it runs but gave no answer: /v1/chat/completions answered 500: boom" in outcome.message
    assert "max_num_seqs" not in str(stage.config(CHAT))


def test_a_model_that_answers_a_little_later_is_fine() -> None:
    stage = staged(ONE)
    stage.smoke.trouble = unanswered("org/chat", settling=True, times=5)
    assert stage.apply(RESTARTED)[CHAT].result is Result.APPLIED
    assert len(stage.smoke.asked) == 6


def test_patience_with_a_gateway_that_settles_has_an_end() -> None:
    stage = staged(ONE)
    stage.smoke.trouble = unanswered("org/chat", settling=True)
    assert stage.apply(RESTARTED)[CHAT].result is Result.ROLLED_BACK


def test_a_model_is_not_taken_back_because_the_gateway_is_out_of_reach_from_here() -> None:
    stage = staged(ONE)

    def trouble(asked: str) -> None:
        raise SmokeFailed("no answer from http://llm.example: no route to host", settling=True, unreachable=True)

    stage.smoke.trouble = trouble
    outcome = stage.apply(RESTARTED)[CHAT]
    assert outcome.result is Result.FAILED
    assert "it runs and stays, but could not be asked: no answer from http://llm.example" in outcome.message
    assert "max_num_seqs" in str(stage.config(CHAT))


def test_a_model_at_zero_replicas_has_its_whole_time_out_to_answer() -> None:
    stage = Stage()
    stage.smoke.trouble = unanswered("org/chat", settling=True, times=100)
    zero = model("org/chat", deployment=replicas(0, 1), rollout={"timeout_s": 300.0})
    assert stage.apply(desired(zero))[CHAT].result is Result.APPLIED


def test_a_gateway_that_does_not_list_a_model_goes_back_and_models_are_not_blamed() -> None:
    stage = staged(ONE)
    stage.smoke.hidden.add("org/coder")
    outcomes = stage.apply(TWO)
    assert outcomes["gateway"].result is Result.ROLLED_BACK
    assert "the gateway does not list `org/coder`" in outcomes["gateway"].message
    assert outcomes[CODER].result is Result.APPLIED
    assert outcomes[CODER].message == "serves; not asked for an answer: the gateway has no route to it"


def test_models_are_not_blamed_for_a_gateway_that_cannot_be_created() -> None:
    stage = Stage()
    stage.serve.fails = lambda config: "no" if config["name"] == "gateway" else None
    outcomes = stage.apply(ONE)
    assert outcomes["gateway"].result is Result.ROLLED_BACK
    assert outcomes[CHAT].result is Result.APPLIED
    assert "not asked for an answer" in outcomes[CHAT].message


def test_models_are_not_blamed_for_a_gateway_that_failed_for_good() -> None:
    stage = Stage()
    stage.serve.fails = lambda config: "no" if config["name"] == "gateway" else None
    outcomes = stage.apply(ONE, keep_failed=True)
    assert outcomes["gateway"].result is Result.FAILED
    assert outcomes[CHAT].message == "serves; not asked for an answer: the gateway failed"


def test_models_are_not_blamed_for_a_gateway_that_is_sick() -> None:
    stage = staged(ONE)
    stage.serve.sicken("gateway", "no answer to health checks")
    assert stage.apply(RESTARTED)[CHAT].message.endswith("not asked for an answer: the gateway is UNHEALTHY")


def test_keep_failed_leaves_what_failed() -> None:
    stage = staged(ONE)
    outcome = stage.apply(BROKEN, keep_failed=True)[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("; left as it is")
    assert outcome.cause is not None
    assert stage.application(CHAT).status is ApplicationStatus.DEPLOY_FAILED


def test_a_failed_config_is_nothing_to_go_back_to() -> None:
    stage = staged(ONE)
    stage.apply(BROKEN, keep_failed=True)
    before = stage.ids(CHAT)
    outcome = stage.apply(desired(broken("org/chat", "another failure")))[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("; not rolled back, because the config before this one had failed as well")
    assert stage.ids(CHAT) == before


def test_a_failed_config_can_be_mended_and_keeps_the_replica_that_still_serves() -> None:
    stage = staged(ONE)
    before = stage.ids(CHAT)
    stage.apply(BROKEN, keep_failed=True)
    assert stage.apply(ONE)[CHAT].result is Result.APPLIED
    assert stage.ids(CHAT) == before


def test_a_previous_config_that_does_not_come_back_is_told() -> None:
    stage = staged(ONE)
    before = stage.config(CHAT)
    stage.serve.after_put = lambda document: stage.serve.sicken(CHAT, "gone bad")
    outcome = stage.apply(SCALED)[CHAT]
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("; its previous config was put back, but it failed to run: gone bad")
    assert same(stage.config(CHAT), before)


def test_a_rollback_that_takes_too_long_is_told() -> None:
    stage = Stage()
    bad = broken("org/chat", rollout={"timeout_s": 60.0})
    stage.serve.after_put = stuck_after_rollback(stage)
    outcome = stage.apply(desired(bad))[CHAT]
    assert outcome.result is Result.FAILED
    assert "; it was taken out again, but not done after 60 s (0 replicas still stopping)" in outcome.message


def test_a_rollback_that_cannot_be_written_is_told() -> None:
    stage = staged(ONE)
    stage.serve.before_put = lambda document: refuse_second(stage)
    outcome = stage.apply(BROKEN)[CHAT]
    assert outcome.result is Result.FAILED
    assert "it could not be rolled back: the Ray dashboard refused" in outcome.message
    assert outcome.message.endswith("mend its file and run `reconcile apply` again")


def test_a_delete_that_does_not_end_is_told() -> None:
    stage = staged(TWO)
    stage.serve.advance = lambda seconds: setattr(stage.serve, "now", stage.serve.now + seconds)  # type: ignore[method-assign]
    outcome = stage.apply(ONE)[CODER]
    assert outcome.result is Result.FAILED
    assert outcome.message == "not done after 1200 s (1 replicas still stopping); Ray goes on deleting it"
