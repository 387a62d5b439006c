"""Plans for clusters whose autoscaler adds nodes."""

from dataclasses import replace
from typing import Any

from hypothesis import given

from reconciler.plan.encode import plan_json
from reconciler.plan.plan import Plan
from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState
from tests.support.states import CLUSTER, deployed, gpu_nodes, in_use, live, model, node, plan, replicas
from tests.support.states import desired as fixed
from tests.support.strategies import registries

TYPES = {
    "l4-small": {"resources": {"CPU": 8, "GPU": 1}, "max_workers": 3},
    "a100": {"resources": {"CPU": 96, "GPU": 8}, "max_workers": 1},
}


def desired(*models: ModelEntry, types: dict[str, Any] | None = None, **settings: Any) -> DesiredState:
    document = {**CLUSTER.cluster.model_dump(), "node_types": TYPES if types is None else types, **settings}
    return fixed(*models, cluster=replace(CLUSTER, cluster=Cluster.model_validate(document)))


def head_only(*applications: Any) -> LiveState:
    return live(*applications, nodes=[node(CPU=8)])


def one(model_id: str, gpus: int = 1, count: int = 1, **sections: Any) -> ModelEntry:
    return model(
        model_id,
        scaling={"num_workers": gpus, "placement_strategy": "STRICT_PACK"},
        deployment=replicas(count),
        **sections,
    )


def waits(found: Plan) -> dict[str, dict[str, int]]:
    return {action.name: dict(action.awaits) for action in found.actions}


def test_what_fits_on_nodes_yet_to_be_added_is_planned_and_says_so() -> None:
    found = plan(desired(one("org/a", count=2), one("org/b", gpus=4)), head_only())
    assert found.holds == ()
    assert [[action.name for action in wave.actions] for wave in found.waves] == [["gateway"], ["org--a", "org--b"]]
    assert waits(found) == {"gateway": {}, "org--b": {"a100": 1}, "org--a": {}}
    assert found.capacity.added == {"a100": 1}
    assert found.capacity.limit == {"CPU": 128, "GPU": 11}
    assert plan_json(found)["capacity"]["added_nodes"] == {"a100": 1}


def test_small_models_wait_for_small_nodes() -> None:
    found = plan(desired(one("org/a", count=2)), head_only())
    assert waits(found)["org--a"] == {"l4-small": 2}


def test_nodes_that_are_there_come_first() -> None:
    found = plan(desired(one("org/a", count=2)), live(nodes=[node(CPU=8), node(1, CPU=8, GPU=1)]))
    assert waits(found)["org--a"] == {"l4-small": 1}


def test_what_finds_room_on_an_added_node_needs_no_luck() -> None:
    found = plan(desired(one("org/a", gpus=4), one("org/b", gpus=3), max_parallel_starts=1), head_only())
    assert [[action.name for action in wave.actions] for wave in found.waves][1:] == [["org--a"], ["org--b"]]
    assert waits(found) == {"gateway": {}, "org--a": {"a100": 1}, "org--b": {}}
    assert found.warnings == ()


def test_what_even_the_most_nodes_cannot_hold_is_refused() -> None:
    found = plan(desired(one("org/a", gpus=16), one("org/b", count=12)), head_only())
    assert [(hold.guard, hold.reason) for hold in found.holds] == [
        (
            "never-fits",
            "a replica needs 16 GPU on one node, the largest node has 8; that is with all that the autoscaler may add: "
            "1 `a100`, 3 `l4-small`",
        ),
        (
            "never-fits",
            "needs 12 replicas of 1 GPU, 2 CPU, the empty cluster holds 11; that is with all that the autoscaler may "
            "add: 1 `a100`, 3 `l4-small`",
        ),
    ]


def test_what_others_leave_of_the_largest_cluster_is_no_promise() -> None:
    found = plan(desired(one("org/a", count=4), one("org/b", gpus=8)), head_only())
    assert {hold.action.name: hold.guard for hold in found.holds} == {"org--a": "does-not-fit-now"}


def test_a_restart_waits_for_a_node_rather_than_stop_the_service() -> None:
    small = {"l4-small": TYPES["l4-small"]}
    report = deployed(desired(one("org/a"), types=small), nodes=in_use([node(0, CPU=8, GPU=1)], GPU=1, CPU=3))
    changed = one("org/a", engine={"engine_kwargs": {"max_num_seqs": 2}}, rollout={"strategy": "rolling"})
    found = plan(desired(changed, types=small), report, allow_mass_change=True)
    (action,) = found.actions
    assert action.rollout is not None
    assert not action.rollout.downtime_expected
    assert action.awaits == {"l4-small": 1}


def test_so_many_start_at_a_time_on_new_nodes_too() -> None:
    models = [one(f"org/{letter}") for letter in "abc"]
    found = plan(desired(*models, max_parallel_starts=2), head_only())
    assert [len(wave.actions) for wave in found.waves] == [1, 2, 1]


def test_models_that_still_find_no_room_are_held_and_the_others_go_on() -> None:
    small = {"l4-small": TYPES["l4-small"]}
    models = [one(f"org/{letter}") for letter in "abcde"]
    found = plan(desired(*models, types=small), head_only())
    assert [action.name for action in found.actions] == ["gateway", "org--a", "org--b", "org--c"]
    assert [hold.action.name for hold in found.holds] == ["org--d", "org--e"]


@given(registries())
def test_nodes_that_may_be_added_never_hold_anything_back(after: tuple[ModelEntry, ...]) -> None:
    report = live(nodes=gpu_nodes(1, 2))
    without = {hold.action.name for hold in plan(fixed(*after), report, allow_mass_change=True).holds}
    found = plan(desired(*after), report, allow_mass_change=True)
    assert {hold.action.name for hold in found.holds} <= without
    limit = found.capacity.limit or {}
    assert all(amount <= limit[resource] for resource, amount in found.capacity.peak.items())
