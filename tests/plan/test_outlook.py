from dataclasses import replace
from typing import Any

import pytest

from reconciler.apply.document import Document
from reconciler.plan.cost import NEVER, Basis, Cost, LimitBasis, Span
from reconciler.plan.plan import Action
from reconciler.registry.registry import ModelEntry
from reconciler.state.application import Application
from reconciler.state.live import LiveState, Node
from tests.support.states import (
    PACKAGES,
    deployed,
    desired,
    gpu_nodes,
    in_use,
    live,
    live_application,
    model,
    plan,
    replicas,
)

MEASURED = {"org--a": 100.0}


def one(count: int = 1, seqs: int = 1, drain_s: float = 120.0, **rollout: Any) -> ModelEntry:
    deployment = {**replicas(count), "graceful_shutdown_timeout_s": drain_s}
    return model("org/a", engine={"engine_kwargs": {"max_num_seqs": seqs}}, deployment=deployment, rollout=rollout)


def gpus(total: float, used: float) -> tuple[Node, ...]:
    return in_use(gpu_nodes(1, total, 1000), GPU=used, CPU=100)


def remembering(report: LiveState, measured: dict[str, float]) -> LiveState:
    """The cluster with a gateway that remembers these load times."""
    gateway = report.application("gateway") or live_application(desired().applications[0].application.config)
    assert gateway.application is not None
    document = Document({}, {"gateway": gateway.application.config})
    config = document.with_gateway_value("provenance", {"load_seconds": measured}).configs["gateway"]
    others = [entry for entry in report.applications if entry.name != "gateway"]
    return replace(report, applications=(replace(gateway, application=Application(config)), *others))


def planned(entry: ModelEntry, report: LiveState, measured: dict[str, float] | None = None) -> Action:
    found = plan(desired(entry), remembering(report, MEASURED if measured is None else measured))
    return next(action for action in found.actions if action.name == "org--a")


def cost(count: int, free: int, measured: dict[str, float] | None = None, **rollout: Any) -> Cost:
    """Of a restart of `count` replicas of one GPU where `free` GPUs are free."""
    report = deployed(desired(one(count)), nodes=gpus(count + free, count))
    found = planned(one(count, 2, **rollout), report, measured).cost
    assert found is not None
    return found


def test_a_surge_costs_no_service() -> None:
    found = cost(3, 3)
    assert found == Cost(found.load_time, Span(100, 100), NEVER, NEVER, 3)
    assert (found.load_time.seconds, found.load_time.basis) == (100, Basis.MEASURED)
    assert cost(3, 1).duration == Span(300, 300)


def test_rolling_costs_capacity_batch_by_batch() -> None:
    found = cost(5, 0, strategy="rolling", max_unavailable=2)
    # Three batches; each replica that stops may take as long as it is allowed to finish its requests.
    assert found == Cost(found.load_time, Span(300, 660), NEVER, Span(300, 660), 3)


@pytest.mark.parametrize("rollout", [{"strategy": "recreate"}, {"strategy": "rolling", "max_unavailable": 1}])
def test_a_restart_of_the_only_replica_costs_its_service(rollout: dict[str, Any]) -> None:
    found = cost(1, 0, **rollout)
    assert found == Cost(found.load_time, Span(100, 220), Span(100, 220), NEVER, 0)


def test_the_file_says_it_until_somebody_has_measured_it() -> None:
    found = cost(1, 1, {}, load_time_s=300.0)
    assert (found.load_time.seconds, found.load_time.basis) == (300, Basis.GIVEN)
    assert cost(1, 1, load_time_s=300.0).load_time.basis is Basis.MEASURED


def test_nothing_is_made_up_where_nobody_knows() -> None:
    found = cost(1, 0, {}, strategy="recreate")
    assert (found.load_time.seconds, found.load_time.basis) == (None, Basis.UNKNOWN)
    assert (found.duration, found.without_service, found.less_capacity) == (None, None, NEVER)
    found = cost(5, 0, {}, strategy="rolling")
    assert (found.without_service, found.less_capacity) == (NEVER, None)
    # That a surge costs no service is known whatever the time.
    assert cost(1, 1, {}).without_service == NEVER


def test_a_create_serves_once_it_is_loaded() -> None:
    found = planned(one(), live(nodes=gpus(4, 0))).cost
    assert found is not None
    assert (found.duration, found.without_service, found.serving) == (Span(100, 100), NEVER, 0)


def test_a_change_in_place_starts_only_what_it_adds() -> None:
    report = deployed(desired(one(1)), nodes=gpus(4, 1))
    grown = planned(one(2), report).cost
    assert grown is not None
    assert (grown.duration, grown.serving) == (Span(100, 100), 1)
    tuned = planned(one(1, drain_s=5), report).cost
    assert tuned is not None
    assert (tuned.duration, tuned.less_capacity) == (NEVER, NEVER)


def test_what_does_not_serve_loses_nothing() -> None:
    config = desired(one()).applications[1].application.config
    found = planned(one(seqs=2), live(live_application(config, replica_state="STARTING"), nodes=gpus(1, 1))).cost
    assert found is not None
    assert (found.without_service, found.duration) == (NEVER, Span(100, 220))


def test_what_is_set_to_no_replica_serves_again_when_somebody_asks() -> None:
    scaling = {"autoscaling_config": {"min_replicas": 0, "max_replicas": 1, "initial_replicas": 0}}
    after = model("org/a", engine={"max_total_tokens": 9}, deployment=scaling)
    report = deployed(desired(one()), nodes=gpus(4, 1))
    found = plan(desired(after), remembering(report, MEASURED), allow_downtime=True)
    [action] = found.actions
    assert action.cost is not None
    assert (action.cost.duration, action.cost.without_service) == (NEVER, None)


def test_a_restart_of_the_gateway_waits_for_the_time_that_ray_gives_it() -> None:
    state = desired(one())
    report = deployed(state, nodes=in_use(gpu_nodes(1, 1, 4), GPU=1, CPU=4))
    newer = desired(one(), packages=replace(PACKAGES, gateway="gcs://new.zip"))
    found = plan(newer, remembering(report, {"gateway": 10.0}), allow_downtime=True)
    [action] = found.actions
    assert action.cost is not None
    assert action.cost.without_service == Span(10, 30)


def test_a_delete_and_what_is_held_have_no_cost() -> None:
    report = deployed(desired(one()), nodes=gpus(1, 1))
    found = plan(desired(), report)
    assert [action.cost for action in found.actions if action.name == "org--a"] == [None]
    found = plan(desired(one(seqs=2)), report)
    assert [hold.action.cost for hold in found.holds] == [None]


@pytest.mark.parametrize(
    ("measured", "rollout", "limit"),
    [
        ({}, {}, (1200, LimitBasis.DEFAULT)),
        ({"org--a": 100.0}, {}, (1200, LimitBasis.DEFAULT)),
        ({"org--a": 900.0}, {}, (3600, LimitBasis.LOAD_TIME)),
        ({}, {"load_time_s": 400}, (1600, LimitBasis.LOAD_TIME)),
        ({"org--a": 900.0}, {"timeout_s": 60}, (60, LimitBasis.WRITTEN)),
    ],
)
def test_the_time_limit_follows_the_load_time(
    measured: dict[str, float], rollout: dict[str, Any], limit: tuple[float, LimitBasis]
) -> None:
    found = planned(one(**rollout), live(nodes=gpus(4, 0)), measured)
    assert (found.timeout_s, found.timeout_basis) == limit


def test_every_batch_has_its_time() -> None:
    report = deployed(desired(one(5)), nodes=gpus(5, 5))
    found = planned(one(5, 2, strategy="rolling", max_unavailable=2), report)
    assert found.timeout_s == 3 * 1200
