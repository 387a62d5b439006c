"""From any registry to any other and back: what stands on the cluster is what stood there."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from reconciler.apply.exchange import Exchange
from reconciler.apply.provenance import conclude
from reconciler.plan.diff import comparable
from reconciler.plan.standing import standing
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import DesiredState
from reconciler.state.provenance import history
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.stage import NEIGHBOUR, PROVENANCE, Stage
from tests.support.states import OWNER, desired
from tests.support.strategies import registries

EVERYTHING = {"allow_delete": True, "allow_downtime": True, "allow_protected": True}


def apply(stage: Stage, wanted: DesiredState, who: str) -> None:
    """One run to its end, as the command line does it."""
    plan = stage.plan(wanted, **EVERYTHING)
    assert not plan.holds
    record = replace(PROVENANCE, who=who)
    outcomes = stage.carry_out(plan, provenance=record)
    assert not any(outcome.result.is_failure for outcome in outcomes), outcomes
    if plan.waves:
        clock = FakeClock(stage.serve)
        exchange = Exchange(stage.serve, stage.serve, clock)
        assert conclude(record, outcomes, held=0, owner=OWNER, exchange=exchange)
    stage.serve.settle()


def document(stage: Stage) -> dict[str, Any]:
    """What is submitted, without what the gateway remembers and how it was rolled out."""
    return {entry.name: comparable(entry.application, None) for entry in stage.live().applications if entry.application}


@settings(max_examples=settings().max_examples // 4)
@given(registries(), registries())
def test_after_going_back_the_cluster_is_what_it_was(
    first: tuple[ModelEntry, ...], second: tuple[ModelEntry, ...]
) -> None:
    stage = Stage(FakeServe({"node-0": {"CPU": 640.0, "GPU": 64.0}}))
    stage.serve.intrude({**stage.live().options, "applications": [NEIGHBOUR]})
    stage.serve.settle()
    apply(stage, desired(*first), "first")
    before, stood = document(stage), standing(stage.live(), OWNER)
    apply(stage, desired(*second), "second")
    changed = standing(stage.live(), OWNER) != stood
    apply(stage, desired(*first), "back")
    assert document(stage) == before
    assert standing(stage.live(), OWNER) == stood
    assert not stage.plan(desired(*first)).has_changes
    records = history(stage.live(), OWNER)
    assert [record.who for record in records] == (["back", "second", "first"] if changed else ["first"])
    assert all(record.ended_well for record in records)
    assert records[0].left == records[-1].left == stood
