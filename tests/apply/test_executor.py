from reconciler.apply.events import DocumentSent, Finished, SmokeAnswered, WaveStarted
from reconciler.apply.outcome import Result
from reconciler.state.provenance import history
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import NEIGHBOUR, PROVENANCE, Stage, staged
from tests.support.states import desired, model, replicas
from tests.support.trouble import CHAT, CODER, ONE, RESTARTED, SCALED, TWO, restarted


def test_a_create_serves_answers_and_is_recorded_in_the_gateway() -> None:
    stage = Stage()
    outcomes = stage.apply(TWO)
    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "gateway": Result.APPLIED,
        CHAT: Result.APPLIED,
        CODER: Result.APPLIED,
    }
    assert outcomes[CHAT].message == "serves; answered a real request"
    assert outcomes[CHAT].replicas_after == stage.ids(CHAT)
    assert sorted(stage.smoke.asked) == [("org/chat", "generation"), ("org/coder", "generation")]
    assert history(stage.live()) == (PROVENANCE,)
    assert len(stage.serve.puts) == 1


def test_applying_again_sends_nothing() -> None:
    stage = staged(TWO)
    assert stage.apply(TWO) == {}
    assert stage.serve.puts == []


def test_a_change_in_place_keeps_the_replicas_and_needs_no_question() -> None:
    stage = staged(ONE)
    before = stage.ids(CHAT)
    outcome = stage.apply(SCALED)[CHAT]
    assert (outcome.result, outcome.message) == (Result.APPLIED, "changed in place")
    assert outcome.replicas_before == outcome.replicas_after == before
    assert stage.smoke.asked == []


def test_a_restart_is_done_when_no_old_replica_is_left_and_the_new_one_answers() -> None:
    stage = staged(ONE)
    before = stage.ids(CHAT)
    outcome = stage.apply(RESTARTED)[CHAT]
    assert (outcome.result, outcome.message) == (Result.APPLIED, "the new version serves; answered a real request")
    assert outcome.replicas_before == before
    assert set(before).isdisjoint(outcome.replicas_after)
    assert stage.smoke.asked == [("org/chat", "generation")]


def test_a_delete_is_done_when_the_application_is_gone() -> None:
    stage = staged(TWO)
    outcome = stage.apply(ONE)[CODER]
    assert (outcome.result, outcome.message) == (Result.APPLIED, "deleted")
    assert stage.live().application(CODER) is None


def test_a_model_that_scales_to_zero_is_done_without_replicas() -> None:
    stage = Stage()
    outcome = stage.apply(desired(model("org/chat", deployment=replicas(0, 1))))[CHAT]
    assert outcome.result is Result.APPLIED
    assert outcome.replicas_after == ()
    assert stage.smoke.asked == [("org/chat", "generation")]


def test_what_is_not_ours_stays_byte_for_byte() -> None:
    stage = staged(ONE, NEIGHBOUR)
    config, ids = stage.config("neighbour"), stage.ids("neighbour")
    stage.apply(RESTARTED)
    stage.apply(TWO)
    assert stage.config("neighbour") == config == NEIGHBOUR
    assert stage.ids("neighbour") == ids


def test_a_gateway_of_somebody_else_records_nothing() -> None:
    stage = Stage()
    theirs = light_config("gateway", args={"owner": "somebody else"})
    stage.serve.intrude({**stage.live().options, "applications": [theirs]})
    stage.serve.settle()
    outcomes = stage.apply(ONE)
    assert outcomes[CHAT].message == "serves; not asked for an answer: the gateway has no route to it"
    assert stage.config("gateway") == theirs


def test_it_says_what_it_does() -> None:
    stage = Stage()
    stage.apply(ONE)
    told = [event for event in stage.events if isinstance(event, WaveStarted | DocumentSent | SmokeAnswered)]
    assert told[:2] == [WaveStarted(1, 1, ("gateway", CHAT)), DocumentSent(2, "wave 1 of 1")]
    assert {event.application: event.asked for event in told[2:] if isinstance(event, SmokeAnswered)} == {
        "gateway": "its models",
        CHAT: "a completion",
    }
    finished = [event.outcome.application for event in stage.events if isinstance(event, Finished)]
    assert finished == ["gateway", CHAT]


def test_waves_follow_one_another() -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 64.0, "GPU": 3.0}}))
    stage.apply(TWO)
    plan = stage.plan(desired(*(restarted(name) for name in ("org/chat", "org/coder"))))
    assert len(plan.waves) == 2
    outcomes = stage.carry_out(plan)
    assert {outcome.result for outcome in outcomes} == {Result.APPLIED}
    assert len(stage.serve.puts) == 3
