import json
from dataclasses import replace

import pytest

from reconciler.apply.document import Document
from reconciler.apply.errors import LostUpdate
from reconciler.apply.exchange import Exchange
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.provenance import conclude, settle, with_provenance
from reconciler.plan.plan import ActionKind
from reconciler.plan.standing import standing
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus
from reconciler.state.provenance import MAX_NAMES, MAX_RECORDS, Names, Record, history, load_seconds
from tests.support.cli import FakeClock
from tests.support.stage import PROVENANCE, Stage, staged
from tests.support.states import OWNER, deployed, desired, model, replicas
from tests.support.trouble import BROKEN, CHAT, CODER, ONE, RESTARTED, SCALED, TWO, away, intrude

LIVE = deployed(ONE)
DOCUMENT = Document.of_live(LIVE)


def write_down(stage: Stage, outcomes: dict[str, Outcome], record: Record = PROVENANCE, held: int = 0) -> bool:
    """What the command line does at the end of a run."""
    clock = FakeClock(stage.serve)
    exchange = Exchange(stage.serve, stage.serve, clock)
    before = conclude(record, tuple(outcomes.values()), held=held, owner=OWNER, exchange=exchange)
    if before is not None:
        settle(stage.serve, before, clock)
    return before is not None


def test_a_run_that_begins_is_put_before_the_earlier_ones_once() -> None:
    first = with_provenance(DOCUMENT, PROVENANCE, LIVE, unmanaged=())
    assert first.routes == DOCUMENT.routes
    stage = staged(ONE)
    assert history(stage.live()) == (PROVENANCE,)
    later = replace(PROVENANCE, who="you")
    second = with_provenance(Document.of_live(stage.live()), later, stage.live(), unmanaged=())
    remembered = second.configs["gateway"]["deployments"][0]["user_config"]["provenance"]
    assert remembered["who"] == "you"
    assert [entry["who"] for entry in remembered["history"]] == ["you", "me"]
    again = with_provenance(Document.of_live(stage.live()), PROVENANCE, stage.live(), unmanaged=())
    assert len(again.configs["gateway"]["deployments"][0]["user_config"]["provenance"]["history"]) == 1


def test_without_a_gateway_of_ours_nothing_is_written() -> None:
    theirs = DOCUMENT.with_gateway_value("provenance", {"who": "they"})
    assert with_provenance(theirs, PROVENANCE, LIVE, unmanaged=("gateway",)) == DOCUMENT
    without = DOCUMENT.with_config("gateway", None)
    assert with_provenance(without, PROVENANCE, LIVE, unmanaged=()) is without
    stage = Stage()
    stage.serve.intrude(
        {**stage.live().options, "applications": [{"name": "gateway", "import_path": "their.gateway:app"}]}
    )
    assert not write_down(stage, {})
    assert stage.serve.puts == []


def test_what_became_of_it_is_written_at_its_end_and_plan_sees_no_difference() -> None:
    stage = Stage()
    plan = stage.plan(TWO)
    outcomes = {outcome.application: outcome for outcome in stage.carry_out(plan)}
    before = stage.live()
    assert write_down(stage, outcomes, held=2)
    [record] = history(stage.live(), OWNER)
    assert record.counts == {"applied": 3, "held": 2}
    assert record.left == standing(stage.live(), OWNER) == standing(before, OWNER)
    assert record.ended_well
    assert stage.live().fingerprint == before.fingerprint
    assert not stage.plan(TWO).has_changes
    assert {entry.status for entry in stage.live().applications} == {ApplicationStatus.RUNNING}
    assert [entry.replica_ids for entry in stage.live().applications] == [
        entry.replica_ids for entry in before.applications
    ]


def test_how_long_a_model_took_is_measured_until_it_served_not_until_it_was_asked() -> None:
    stage = Stage()
    stage.serve.startup_s = 30.0
    asked = stage.smoke.trouble
    stage.smoke.trouble = lambda model_id: stage.serve.advance(50.0) or asked(model_id)
    outcomes = stage.apply(TWO)
    assert outcomes[CHAT].seconds > 80
    write_down(stage, outcomes)
    seconds = load_seconds(stage.live())
    assert seconds.keys() == {"gateway", CHAT, CODER}
    assert all(30 <= each <= 35 for each in seconds.values())


def test_only_what_started_new_replicas_is_measured_and_the_rest_is_kept() -> None:
    stage = Stage()
    write_down(stage, stage.apply(TWO))
    first = load_seconds(stage.live())
    stage.serve.startup_s = 60.0
    outcomes = stage.apply(
        desired(
            model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}),
            model("org/coder", deployment=replicas(1, 3)),
        )
    )
    assert outcomes[CODER].load_seconds is None
    write_down(stage, outcomes)
    second = load_seconds(stage.live())
    assert second == {**first, CHAT: second[CHAT]}
    assert second[CHAT] >= 60
    write_down(stage, stage.apply(ONE, keep_failed=True))
    assert CODER not in load_seconds(stage.live())


@pytest.mark.parametrize("state", [BROKEN, SCALED, desired(model("org/chat", deployment=replicas(0, 1)))])
def test_without_a_new_version_that_serves_nothing_is_measured(state: DesiredState) -> None:
    stage = staged(ONE)
    outcomes = stage.apply(state)
    assert outcomes[CHAT].load_seconds is None


def test_a_config_that_is_tried_again_is_measured() -> None:
    stage = staged(ONE)
    assert stage.apply(BROKEN, keep_failed=True)[CHAT].load_seconds is None
    stage.serve.fails = lambda config: None
    stage.serve.startup_s = 40.0
    (action,) = stage.plan(BROKEN).actions
    assert action.kind is ActionKind.RETRY
    assert (stage.apply(BROKEN)[CHAT].load_seconds or 0) >= 40


def test_a_model_without_replicas_has_no_load_time() -> None:
    stage = Stage()
    assert stage.apply(desired(model("org/chat", deployment=replicas(0, 1))))[CHAT].load_seconds is None


def test_what_failed_is_named() -> None:
    stage = staged(ONE)
    write_down(stage, stage.apply(BROKEN))
    [record] = history(stage.live())
    assert record.counts == {"failed and rolled back": 1}
    assert record.failed == Names((CHAT,))


def test_a_gateway_that_went_back_to_what_it_was_remembers_the_run_all_the_same() -> None:
    stage = staged(ONE)
    intrude(stage, Document.of_live(stage.live()).with_gateway_value("provenance", {}).configs["gateway"])
    stage.serve.settle()
    write_down(stage, {CHAT: Outcome(CHAT, Result.FAILED, "no")})
    assert [record.failed.names for record in history(stage.live())] == [(CHAT,)]


def test_a_run_that_somebody_followed_meanwhile_keeps_its_place() -> None:
    stage = staged(ONE)
    stage.apply(RESTARTED)
    later = replace(PROVENANCE, who="you")
    now = Document.of_live(stage.live())
    intrude(stage, with_provenance(now, later, stage.live(), unmanaged=()).configs["gateway"])
    stage.serve.settle()
    write_down(stage, {})
    assert [(record.who, record.counts) for record in history(stage.live())] == [("you", None), ("me", {})]
    assert stage.config("gateway")["deployments"][0]["user_config"]["provenance"]["who"] == "you"


def test_it_stays_small_after_many_failing_runs_over_a_thousand_models() -> None:
    stage = staged(ONE)
    names = [f"{'organisation' * 5}--{'model' * 20}-{number}" for number in range(1000)]
    for number in range(30):
        record = replace(PROVENANCE, who=f"run {number}")
        now = Document.of_live(stage.live())
        stage.serve.intrude(with_provenance(now, record, stage.live(), unmanaged=()).body)
        write_down(stage, {name: Outcome(name, Result.FAILED, "no", load_seconds=90.0) for name in names}, record)
    records = history(stage.live())
    assert len(records) == MAX_RECORDS
    assert records[0].who == "run 29"
    assert records[0].failed == Names(tuple(names[:MAX_NAMES]), 1000 - MAX_NAMES)
    assert len(json.dumps(stage.config("gateway"))) < 60_000


def test_somebody_who_writes_at_the_same_moment_is_noticed() -> None:
    stage = staged(ONE)
    stage.serve.after_put = lambda document: intrude(stage, without=CHAT)
    with pytest.raises(LostUpdate):
        write_down(stage, {})


def test_a_dashboard_that_is_gone_afterwards_is_no_trouble() -> None:
    stage = staged(ONE)
    away(stage, first=3, last=100)
    assert write_down(stage, {})
    stage.serve.before_read = None
    assert history(stage.live())[0].counts == {}
