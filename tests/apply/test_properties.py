"""What holds for any two registries, one applied after the other, on Ray Serve in memory."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reconciler.apply.document import Document, same_config
from reconciler.apply.outcome import Result
from reconciler.apply.resume import unsettled
from reconciler.plan.diff import comparable
from reconciler.plan.plan import Plan
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import PROVENANCE_KEY
from tests.support.fake_serve import FakeServe
from tests.support.stage import NEIGHBOUR, Stage
from tests.support.states import desired
from tests.support.strategies import registries

ALLOWED = dict.fromkeys(("allow_delete", "allow_downtime", "allow_mass_change", "allow_protected"), True)
FEWER = settings(
    max_examples=settings.default.max_examples // 5,  # type: ignore[union-attr]
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
"""Every example is a life of a cluster: too slow for many, and for making a counterexample smaller."""

Models = tuple[ModelEntry, ...]


def cluster() -> Stage:
    """A cluster with room for everything, and the neighbour."""
    stage = Stage(FakeServe({"node-0": {"CPU": 500.0, "GPU": 100.0}}))
    stage.serve.intrude({**stage.live().options, "applications": [NEIGHBOUR]})
    stage.serve.settle()
    return stage


def applied(stage: Stage, wanted: DesiredState) -> Plan:
    """The plan that was carried out, all of it."""
    plan = stage.plan(wanted, **ALLOWED)
    assert plan.holds == ()
    assert {outcome.result for outcome in stage.carry_out(plan)} <= {Result.APPLIED}
    return plan


def without_memory(config: Any) -> Any:
    """A config without what the gateway only remembers."""
    entries = [dict(entry) for entry in config.get("deployments") or ()]
    for entry in entries:
        if "user_config" in entry:
            entry["user_config"] = {key: value for key, value in entry["user_config"].items() if key != PROVENANCE_KEY}
    return {**config, "deployments": entries}


@FEWER
@given(registries(), registries())
def test_after_an_apply_nothing_is_left_to_do(before: Models, after: Models) -> None:
    stage = cluster()
    applied(stage, desired(*before))
    wanted = desired(*after)
    applied(stage, wanted)
    again = stage.plan(wanted)
    assert not again.has_changes
    assert again.holds == ()
    assert unsettled(wanted, stage.live(), again) == ()
    assert {entry.status for entry in stage.live().applications} <= {ApplicationStatus.RUNNING}
    assert stage.config("neighbour") == NEIGHBOUR


@FEWER
@given(registries(), registries())
def test_what_was_planned_is_what_is_read_back(before: Models, after: Models) -> None:
    stage = cluster()
    applied(stage, desired(*before))
    plan = applied(stage, desired(*after))
    if not plan.waves:
        return
    planned, live = Document.of_wave(plan.waves[-1]), Document.of_live(stage.live())
    assert planned.configs.keys() == live.configs.keys()
    for name, config in planned.configs.items():
        assert same_config(without_memory(config), without_memory(live.configs[name]), None), name


@FEWER
@given(registries())
def test_what_is_read_back_can_be_written_back(models: Models) -> None:
    """Ray normalises what it is given; what it made of that, it leaves alone, and so does the planner."""
    stage = cluster()
    applied(stage, desired(*models))
    once = stage.live()
    stage.serve.intrude(Document.of_live(once).body)
    twice = stage.serve.settle()
    assert Document.of_live(twice) == Document.of_live(once)
    assert {entry.name: entry.replica_ids for entry in twice.applications} == {
        entry.name: entry.replica_ids for entry in once.applications
    }
    assert not stage.plan(desired(*models)).has_changes


@FEWER
@given(registries(), st.randoms(use_true_random=False))
def test_the_order_of_files_makes_no_difference_to_the_cluster(models: Models, chance: random.Random) -> None:
    shuffled = list(models)
    chance.shuffle(shuffled)
    stage = cluster()
    applied(stage, desired(*models))
    assert not stage.plan(desired(*shuffled)).has_changes


@FEWER
@given(registries(), registries(), st.data())
def test_what_fails_goes_back_and_the_rest_is_applied(before: Models, after: Models, data: st.DataObject) -> None:
    stage = cluster()
    applied(stage, desired(*before))
    standing = {entry.name: comparable_config(stage.live(), entry.name) for entry in stage.live().applications}
    bad = data.draw(st.sets(st.sampled_from([entry.spec.model_id for entry in after]))) if after else set()
    mixed = desired(*[_broken(entry) if entry.spec.model_id in bad else entry for entry in after])
    failing = {entry.name for entry in mixed.applications if entry.model and entry.model.spec.model_id in bad}
    plan = stage.plan(mixed, **ALLOWED)
    outcomes = {outcome.application: outcome.result for outcome in stage.carry_out(plan)}
    for name, result in outcomes.items():
        # Of a model that may sleep, Ray starts a replica only where one ran.
        wanted = mixed.application(name)
        asleep = wanted is not None and wanted.min_replicas == 0
        assert result in {Result.ROLLED_BACK if name in failing else Result.APPLIED, Result.APPLIED if asleep else None}
        if result is Result.ROLLED_BACK:
            assert comparable_config(stage.live(), name) == standing.get(name), name
    good = desired(*after)
    applied(stage, good)
    assert not stage.plan(good).has_changes
    assert stage.config("neighbour") == NEIGHBOUR


def comparable_config(live: LiveState, name: str) -> Any:
    """What counts as a difference in an application; None without one."""
    found = live.application(name)
    return comparable(found.application, None) if found and found.application else None


def _broken(entry: ModelEntry) -> ModelEntry:
    """The same model, which cannot start."""
    engine = entry.spec.engine_config
    kwargs = {**engine.engine_kwargs, "fail": "told to fail"}
    engine = engine.model_copy(update={"engine_kwargs": kwargs})
    return replace(entry, spec=entry.spec.model_copy(update={"engine_config": engine}))
