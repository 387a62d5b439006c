from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.plan import Action, Plan
from reconciler.registry.registry import ModelEntry
from reconciler.registry.spec import RolloutStrategy
from reconciler.state.live import LiveState, Node
from tests.support.states import (
    deployed,
    desired,
    foreign,
    gpu_nodes,
    in_use,
    live,
    live_application,
    model,
    plan,
    replicas,
)

CPUS, BUSY_CPUS = 1000.0, 100.0


def one(model_id: str = "org/a", *, seqs: int = 1, count: int = 1, gpus: int = 1, **sections: Any) -> ModelEntry:
    return model(
        model_id,
        engine={"engine_kwargs": {"max_num_seqs": seqs}},
        deployment=replicas(count),
        scaling={"num_workers": gpus},
        **sections,
    )


def gpus(total: float, used: float) -> tuple[Node, ...]:
    return in_use(gpu_nodes(1, total, CPUS), GPU=used, CPU=BUSY_CPUS)


def action(found: Plan, name: str = "org--a") -> Action:
    return next(action for action in found.actions if action.name == name)


def waves(found: Plan) -> list[list[str]]:
    return [[action.name for action in wave.actions] for wave in found.waves]


def options(found: Plan, name: str = "org--a", wave: int = -1) -> dict[str, Any]:
    applications = found.waves[wave].document["applications"]
    return dict(next(entry for entry in applications if entry["name"] == name)["deployments"][0])


def restart(count: int, free: int, *, allow_downtime: bool = False, **rollout: Any) -> Plan:
    """A restart of `count` replicas of one GPU where `free` GPUs are free."""
    report = deployed(desired(one(count=count)), nodes=gpus(count + free, count))
    return plan(desired(one(count=count, seqs=2, rollout=rollout)), report, allow_downtime=allow_downtime)


def test_a_restart_that_fits_beside_the_old_replicas_has_no_downtime() -> None:
    found = restart(2, 2)
    rollout = action(found).rollout
    assert rollout is not None
    assert (rollout.strategy, rollout.surge_percent) == (RolloutStrategy.SURGE, 100)
    assert rollout.sentence == "no downtime expected (surge fits)"
    assert options(found)["max_surge_percent"] == 100
    assert found.capacity.peak["GPU"] == 4


@pytest.mark.parametrize(("count", "free", "percent"), [(2, 1, 50), (3, 1, 33), (3, 2, 66), (7, 3, 42)])
def test_otherwise_as_many_surge_as_fit(count: int, free: int, percent: int) -> None:
    found = restart(count, free)
    rollout = action(found).rollout
    assert rollout is not None
    assert rollout.surge_percent == percent
    # Ray rounds up to whole replicas.
    assert (percent * count + 99) // 100 == free
    assert not rollout.downtime_expected
    assert rollout.sentence == f"no downtime expected (surge fits {free} of {count} replicas at a time)"
    assert found.capacity.peak["GPU"] == count + free


def test_a_restart_without_room_is_held_with_the_numbers() -> None:
    found = restart(1, 0)
    (hold,) = found.holds
    assert hold.guard == "needs-room"
    assert hold.reason == "no room beside the old replicas: each new one needs 1 GPU, 2 CPU; free now: 0 GPU, 900 CPU"
    assert "`rollout.strategy: rolling`" in hold.release
    assert "--allow-downtime" in hold.release
    assert found.waves == ()


def test_rolling_replaces_the_only_replica_with_downtime() -> None:
    found = restart(1, 0, strategy="rolling")
    rollout = action(found).rollout
    assert rollout is not None
    assert (rollout.strategy, rollout.surge_percent, rollout.downtime_expected) == (RolloutStrategy.ROLLING, 0, True)
    assert "downtime expected" in rollout.sentence
    assert options(found)["max_surge_percent"] == 0
    assert "rolling_update_percentage" not in options(found)


def test_rolling_replaces_several_with_less_capacity() -> None:
    rollout = action(restart(10, 0, strategy="rolling")).rollout
    assert rollout is not None
    assert not rollout.downtime_expected
    assert rollout.sentence == "less capacity, 2 of 10 replicas at a time (no room for a surge)"


def test_recreate_stops_all_replicas_at_once() -> None:
    found = restart(3, 0, strategy="recreate")
    rollout = action(found).rollout
    assert rollout is not None
    assert (rollout.strategy, rollout.downtime_expected) == (RolloutStrategy.RECREATE, True)
    assert options(found)["rolling_update_percentage"] == 1.0


def test_allowing_downtime_replaces_a_surge_by_the_mildest_way_that_fits() -> None:
    rollout = action(restart(5, 0, allow_downtime=True)).rollout
    assert rollout is not None
    assert rollout.strategy is RolloutStrategy.ROLLING


def grown(strategy: str, **allowed: bool) -> Plan:
    """A restart of two replicas of two GPUs to one of four, on four GPUs."""
    report = deployed(desired(one(count=2, gpus=2)), nodes=gpus(4, 4))
    return plan(desired(one(count=1, gpus=4, seqs=2, rollout={"strategy": strategy})), report, **allowed)


def test_rolling_is_not_enough_where_all_have_to_go_first() -> None:
    assert [hold.guard for hold in grown("rolling").holds] == ["needs-room"]
    for found in (grown("recreate"), grown("rolling", allow_downtime=True), grown("surge", allow_downtime=True)):
        rollout = action(found).rollout
        assert rollout is not None
        assert rollout.strategy is RolloutStrategy.RECREATE


def test_a_restart_that_does_not_fit_even_then_is_held() -> None:
    report = deployed(desired(one()), nodes=gpus(4, 3))
    found = plan(desired(one(gpus=3, rollout={"strategy": "recreate"})), report, allow_downtime=True)
    assert [hold.guard for hold in found.holds] == ["needs-room"]


def test_a_surge_is_no_use_where_the_end_does_not_fit() -> None:
    # Two of one GPU become three of two: one fits beside them, but not all three once the old are gone.
    report = deployed(desired(one(count=2)), foreign(), nodes=gpus(8, 5))
    found = plan(desired(one(count=3, gpus=2)), report)
    assert [hold.guard for hold in found.holds] == ["needs-room"]


def test_what_does_not_serve_starts_anew_without_being_asked() -> None:
    state = desired(one())
    sick = live_application(state.applications[1].application.config, replica_state="STARTING")
    report = live(live_application(state.applications[0].application.config), sick, nodes=gpus(1, 1))
    found = plan(desired(one(seqs=2)), report)
    rollout = action(found).rollout
    assert rollout is not None
    assert rollout.sentence == "does not serve now; starts anew"
    crowded = replace(report, nodes=gpus(2, 2))
    assert [hold.guard for hold in plan(desired(one(gpus=2)), crowded).holds] == ["needs-room"]


def test_a_model_scaled_to_zero_restarts_for_free() -> None:
    asleep = {"autoscaling_config": {"min_replicas": 0, "max_replicas": 1}}
    report = deployed(desired(model("org/a", deployment=asleep)), nodes=gpus(1, 1))
    found = plan(desired(model("org/a", deployment=asleep, engine={"max_total_tokens": 9})), report)
    rollout = action(found).rollout
    assert rollout is not None
    assert rollout.sentence == "no downtime expected (no replica is running)"
    assert (action(found).replicas_before, action(found).replicas_after) == (0, 0)


def test_one_wave_when_everything_fits_at_once() -> None:
    report = deployed(desired(one("org/a"), one("org/b")), nodes=gpus(8, 2))
    found = plan(desired(one("org/a", seqs=2), one("org/c")), report)
    assert waves(found) == [["gateway", "org--a", "org--b", "org--c"]]


def test_restarts_that_do_not_fit_together_follow_one_another() -> None:
    models = [f"org/{letter}" for letter in "abc"]
    report = deployed(desired(*(one(name) for name in models)), nodes=gpus(4, 3))
    found = plan(desired(*(one(name, seqs=2) for name in models)), report)
    assert waves(found) == [["org--a"], ["org--b"], ["org--c"]]
    assert found.capacity.peak["GPU"] == 4
    assert all(entry.rollout and entry.rollout.surge_percent == 100 for entry in found.actions)
    # Those not reached yet are in the document as they are live.
    assert [options(found, "org--c", wave).get("max_surge_percent") for wave in range(3)] == [None, None, 100]


def test_deletes_make_room_for_what_comes_after() -> None:
    report = deployed(desired(one("org/a"), one("org/b", gpus=2)), nodes=gpus(3, 3))
    found = plan(desired(one("org/a"), one("org/c", gpus=2)), report)
    assert waves(found) == [["gateway", "org--b"], ["org--c"]]
    assert found.capacity.peak["GPU"] == 3


def test_shrinking_makes_room_for_growing() -> None:
    report = deployed(desired(one("org/a", count=3), one("org/b")), nodes=gpus(4, 4))
    found = plan(desired(one("org/a"), one("org/b", count=3)), report)
    assert waves(found) == [["org--a"], ["org--b"]]


def test_replacements_go_before_what_stays() -> None:
    # One GPU is free: the restart borrows it first, then the new model keeps it.
    report = deployed(desired(one("org/z")), nodes=gpus(2, 1))
    found = plan(desired(one("org/a"), one("org/z", seqs=2)), report)
    assert waves(found) == [["gateway", "org--z"], ["org--a"]]


def test_a_new_gateway_does_not_wait_for_replacements() -> None:
    models = [one("org/a"), one("org/b")]
    report = deployed(desired(*models), nodes=gpus(3, 2))
    headless = replace(report, applications=report.applications[1:])
    found = plan(desired(one("org/a", seqs=2), one("org/b", seqs=2)), headless)
    assert waves(found) == [["gateway", "org--a"], ["org--b"]]


def test_a_new_gateway_without_room_is_held() -> None:
    found = plan(desired(), live(nodes=in_use(gpu_nodes(1, 1, 4), CPU=4)))
    assert [(hold.action.name, hold.guard) for hold in found.holds] == [("gateway", "does-not-fit-now")]


def test_a_restart_of_the_gateway_without_room_is_held_without_speaking_of_files() -> None:
    state = desired()
    report = deployed(state, nodes=in_use(gpu_nodes(1, 1, 4), CPU=4))
    changed = replace(
        state.applications[0],
        application=replace(
            state.applications[0].application,
            config={**state.applications[0].application.config, "runtime_env": {"py_modules": ["gcs://new.zip"]}},
        ),
    )
    found = plan(replace(state, applications=(changed,)), report)
    assert [hold.release for hold in found.holds] == ["free resources, or plan with `--allow-downtime`"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (one(gpus=9), "a replica needs 9 GPU, the cluster has 8 in all"),
        (one(count=5, gpus=2), "needs 5 replicas of 2 GPU, 3 CPU, the empty cluster holds 4"),
    ],
)
def test_what_can_never_fit_is_held(entry: ModelEntry, reason: str) -> None:
    found = plan(desired(entry), live(nodes=gpus(8, 0)))
    assert [(hold.guard, hold.reason) for hold in found.holds] == [("never-fits", reason)]
    assert waves(found) == [["gateway"]]


def test_what_does_not_fit_now_is_held_with_the_numbers() -> None:
    found = plan(desired(one(count=2)), live(nodes=gpus(8, 7)))
    (hold,) = found.holds
    assert hold.guard == "does-not-fit-now"
    assert hold.reason == "2 more replicas need 2 GPU, 4 CPU; free now, over all nodes: 1 GPU, 899 CPU"


def test_growing_in_place_wants_room_only_for_what_is_added() -> None:
    report = deployed(desired(one(count=2)), nodes=gpus(3, 2))
    assert waves(plan(desired(one(count=3)), report)) == [["org--a"]]
    (hold,) = plan(desired(one(count=4)), report).holds
    assert hold.reason == "needs 4 replicas of 1 GPU, 2 CPU, the empty cluster holds 3"
    crowded = deployed(desired(one(count=2)), nodes=gpus(4, 4))
    (hold,) = plan(desired(one(count=3)), crowded).holds
    assert hold.reason.startswith("1 more replica needs 1 GPU")


def test_several_models_that_need_the_same_are_held_alike() -> None:
    names = [f"org/{letter}" for letter in "abcd"]
    found = plan(desired(*(one(name) for name in names)), live(nodes=gpus(2, 0)))
    assert waves(found) == [["gateway", "org--a", "org--b"]]
    assert [hold.action.name for hold in found.holds] == ["org--c", "org--d"]


def routed(report: LiveState | Plan, wave: int = 0) -> Iterable[str]:
    assert isinstance(report, Plan)
    return options(report, "gateway", wave)["user_config"]["models"]


def test_a_model_that_is_not_created_gets_no_route() -> None:
    found = plan(desired(one("org/a"), one("org/b")), live(nodes=gpus(1, 0)))
    assert list(routed(found)) == ["org/a"]


def test_a_held_restart_keeps_the_route_it_has() -> None:
    report = deployed(desired(one()), nodes=gpus(1, 1))
    changed = model("org/a", engine={"engine_kwargs": {"max_num_seqs": 2}, "aliases": ["new"]}, deployment=replicas(1))
    found = plan(desired(changed), report)
    assert found.waves == ()
    assert [hold.guard for hold in found.holds] == ["needs-room"]


def test_capacity_counts_everybody_and_what_the_registry_needs() -> None:
    found = plan(desired(one(count=2)), live(foreign(), nodes=gpus(8, 3)))
    assert found.capacity.total == {"CPU": CPUS, "GPU": 8}
    assert found.capacity.used == {"CPU": BUSY_CPUS, "GPU": 3}
    assert found.capacity.needed == {"CPU": 5, "GPU": 2}
    assert found.capacity.peak == {"CPU": BUSY_CPUS + 5, "GPU": 5}
