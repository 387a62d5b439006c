from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.build import PlanOptions, build_plan
from reconciler.plan.cost import Daily, DailyCost
from reconciler.plan.gpu_hours import gpus_by_type
from reconciler.registry.cluster import Prices
from reconciler.registry.registry import ModelEntry
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState
from tests.support.states import (
    ADDRESS,
    SOURCE,
    deployed,
    desired,
    gpu_nodes,
    live,
    live_application,
    model,
    node,
    plan,
    replicas,
)

PRICES = Prices(currency="EUR", gpu_hour={"L4": 0.5, "GPU": 2.0})


def one(model_id: str = "org/a", low: int = 1, high: int | None = None, kind: str | None = None) -> ModelEntry:
    resources = {f"accelerator_type:{kind}": 0.001} if kind else {}
    return model(
        model_id, deployment=replicas(low, high), scaling={"num_workers": 2, "resources_per_worker": resources}
    )


def daily(state: DesiredState, report: LiveState, **allowed: bool) -> DailyCost:
    found = plan(state, report, **allowed).daily_cost
    assert found is not None
    return found


def nodes(*kinds: str) -> tuple[Any, ...]:
    return tuple(node(index, GPU=8, CPU=64, **{f"accelerator_type:{kind}": 1}) for index, kind in enumerate(kinds))


def test_before_and_after_at_both_ends_of_autoscaling() -> None:
    report = deployed(desired(one()), nodes=gpu_nodes(4))
    found = daily(desired(one(low=1, high=3)), report)
    assert found.before == Daily({"GPU": 48}, {"GPU": 48})
    assert found.after == Daily({"GPU": 48}, {"GPU": 144})
    assert (found.currency, found.unpriced) == (None, ())


def test_each_accelerator_type_is_counted_and_priced_for_itself() -> None:
    models = [one("org/a", kind="L4"), one("org/b", kind="H100"), one("org/c", low=0, high=1)]
    state = replace(desired(*models), prices=PRICES)
    found = daily(state, live(nodes=nodes("L4", "H100")))
    assert found.before == Daily({}, {}, 0, 0)
    assert found.after == Daily({"GPU": 0, "H100": 48, "L4": 48}, {"GPU": 48, "H100": 48, "L4": 48}, 24, 120)
    assert (found.currency, found.unpriced) == ("EUR", ("H100",))


def test_the_only_type_of_the_nodes_is_everybody_s() -> None:
    assert daily(desired(one()), live(nodes=nodes("L4", "L4"))).after.floor == {"L4": 48}
    mixed = (*nodes("L4"), node(1, GPU=8, CPU=64))
    assert daily(desired(one()), live(nodes=mixed)).after.floor == {"GPU": 48}


def test_a_bundle_without_a_type_is_of_the_replica_s_own() -> None:
    typed = {"GPU": 1.0, "accelerator_type:L4": 0.001}
    assert gpus_by_type(Bundles(({"CPU": 1.0}, {"GPU": 0.5}, typed)), "H100") == {"L4": 1.5}
    both = Bundles(({"GPU": 1.0, "accelerator_type:H100": 0.001}, typed, {"GPU": 1.0}))
    assert gpus_by_type(both, None) == {"H100": 1, "L4": 1, "GPU": 1}
    assert gpus_by_type(Bundles(({"CPU": 1.0},)), "L4") == {}


def test_what_is_held_goes_on_as_it_is() -> None:
    report = deployed(desired(one("org/a"), one("org/b")), nodes=gpu_nodes(4))
    assert daily(desired(), report).after == daily(desired(), report).before
    assert daily(desired(), report, allow_delete=True).after == Daily({}, {})
    huge = model("org/c", scaling={"num_workers": 99})
    assert daily(desired(one("org/a"), one("org/b"), huge), report).after.floor == {"GPU": 96}


@pytest.mark.parametrize(
    ("deployment", "floor", "ceiling"),
    [
        ({"num_replicas": 3}, 72, 72),
        ({"num_replicas": "auto"}, 24, 24),
        ({}, 24, 24),
        ({"autoscaling_config": {"min_replicas": 2}}, 48, 48),
        ({"autoscaling_config": {"max_replicas": 5}}, 24, 120),
        ({"autoscaling_config": {"min_replicas": None, "max_replicas": "x"}}, 24, 24),
    ],
)
def test_what_is_live_is_read_as_somebody_may_have_written_it(
    deployment: dict[str, Any], floor: float, ceiling: float
) -> None:
    config = {
        "name": "org--a",
        "args": {"owner": "team", "llm_config": {"placement_group_config": {"bundles": [{"GPU": 1}]}}},
        "deployments": [{"name": "LLMServer:org--a", **deployment}],
    }
    found = daily(desired(one()), live(live_application(config), nodes=gpu_nodes(4)))
    assert found.before == Daily({"GPU": floor}, {"GPU": ceiling})


def test_an_application_without_deployments_counts_as_one_replica() -> None:
    config = {
        "name": "org--a",
        "args": {"owner": "team", "llm_config": {"placement_group_config": {"bundles": [{"GPU": 1}]}}},
    }
    found = daily(desired(one()), live(live_application(config), nodes=gpu_nodes(4)))
    assert found.before.floor == {"GPU": 24}


def test_models_that_are_left_out_go_on() -> None:
    report = deployed(desired(one("org/a"), one("org/b")), nodes=gpu_nodes(4))
    options = PlanOptions(models=("org/a",))
    found = build_plan(desired(one("org/a", low=2)), report, address=ADDRESS, source=SOURCE, options=options)
    assert found.daily_cost is not None
    assert found.daily_cost.after.floor == {"GPU": 144}
