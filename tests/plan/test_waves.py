import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan import chances
from reconciler.plan.plan import Action, Plan
from reconciler.plan.rollout import batch_share
from reconciler.registry.choices import RolloutStrategy
from reconciler.registry.registry import ModelEntry
from reconciler.state.application import Application
from reconciler.state.live import LiveApplication, LiveState, Node
from tests.support.states import (
    CLUSTER,
    deployed,
    desired,
    foreign,
    gpu_nodes,
    in_use,
    live,
    live_application,
    model,
    node,
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
    assert hold.reason == (
        "no room beside the old replicas: each new one needs 1 GPU, 2 CPU; free now: 0 GPU, 900 CPU; "
        "GPU held by `org--a` 1"
    )
    assert hold.release == "free resources, set `rollout.strategy` to `recreate`, or plan with `--allow-downtime`"
    assert found.waves == ()


@pytest.mark.parametrize("most", [None, "25%", "99%"])
def test_rolling_never_stops_the_only_replica_unless_it_is_told_to(most: str | None) -> None:
    (hold,) = restart(1, 0, strategy="rolling", max_unavailable=most).holds
    assert hold.guard == "needs-room"


@pytest.mark.parametrize("most", [1, 3, "100%"])
def test_a_count_lets_rolling_stop_the_only_replica(most: int | str) -> None:
    assert restart(1, 0, strategy="rolling", max_unavailable=most).holds == ()


def test_rolling_replaces_the_only_replica_with_downtime() -> None:
    found = restart(1, 0, allow_downtime=True, strategy="rolling")
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


@pytest.mark.parametrize(
    ("count", "most", "batch"),
    [
        (10, 1, 1),
        (10, 4, 4),
        (10, "25%", 2),
        (10, "29%", 2),
        (10, "5%", 1),
        (3, 3, 2),  # never all of several
        (2, "100%", 1),
    ],
)
def test_a_model_says_how_many_replicas_go_at_a_time(count: int, most: int | str, batch: int) -> None:
    found = restart(count, 0, strategy="rolling", max_unavailable=most)
    rollout = action(found).rollout
    assert rollout is not None
    assert (rollout.batch, rollout.serving, rollout.downtime_expected) == (batch, count - batch, False)
    assert rollout.sentence == f"less capacity, {batch} of {count} replicas at a time (no room for a surge)"
    share = options(found)["rolling_update_percentage"]
    assert max(int(share * count), 1) == batch  # Ray's rule


def test_the_share_makes_ray_take_the_batch_whatever_the_count() -> None:
    for count in range(1, 400):
        for batch in range(1, count + 1):
            share = batch_share(batch, count)
            assert 0 < share <= 1
            assert max(int(share * count), 1) == batch


def test_replicas_that_are_added_start_before_any_is_stopped_for_a_successor() -> None:
    # Two become three of the same size: Ray starts the third first, and stops none while it is not there.
    report = deployed(desired(one(count=2)), nodes=gpus(4, 2))
    after = desired(one(count=4, seqs=2, rollout={"strategy": "rolling", "max_unavailable": 1}))
    rollout = action(plan(after, report)).rollout
    assert rollout is not None
    assert (rollout.serving, rollout.downtime_expected) == (2, False)
    assert rollout.sentence == "no downtime expected (the added replicas start first)"
    # Without room for it both would wait for ever; a larger batch stops one to make room.
    crowded = deployed(desired(one(count=2, gpus=2)), nodes=gpus(4, 4))
    tight = {"strategy": "rolling", "max_unavailable": 1}
    assert [hold.guard for hold in plan(desired(one(count=3, seqs=2, rollout=tight)), crowded).holds] == ["needs-room"]
    roomy = action(plan(desired(one(count=3, seqs=2, rollout={**tight, "max_unavailable": 2})), crowded)).rollout
    assert roomy is not None
    assert (roomy.batch, roomy.serving) == (2, 1)


def test_what_is_too_many_goes_before_the_rest_is_replaced() -> None:
    report = deployed(desired(one(count=5)), nodes=gpus(5, 5))
    rollout = action(plan(desired(one(count=3, seqs=2, rollout={"strategy": "rolling"})), report)).rollout
    assert rollout is not None
    assert (rollout.serving, rollout.sentence) == (2, "less capacity, 1 of 3 replicas at a time (no room for a surge)")


def test_a_hold_names_only_what_would_help() -> None:
    (hold,) = restart(4, 0).holds
    assert "`rolling` or `recreate`" in hold.release
    full = deployed(desired(one()), nodes=gpus(4, 3))
    (hold,) = plan(desired(one(gpus=3)), full).holds
    assert hold.release == "free resources or add nodes, then plan again"


def test_one_of_very_many_is_no_percentage_of_them() -> None:
    report = deployed(desired(one(count=150)), nodes=in_use(gpu_nodes(1, 151, 500), GPU=150, CPU=301))
    rollout = action(plan(desired(one(count=150, seqs=2, rollout={"strategy": "rolling"})), report)).rollout
    assert rollout is not None
    assert rollout.strategy is RolloutStrategy.ROLLING


def test_a_count_of_none_stops_the_service() -> None:
    scaling = {"min_replicas": 0, "max_replicas": 2, "initial_replicas": 0}
    report = deployed(desired(one(count=1)), nodes=gpus(4, 1))
    after = desired(
        model("org/a", engine={"engine_kwargs": {"max_num_seqs": 2}}, deployment={"autoscaling_config": scaling})
    )
    (hold,) = plan(after, report).holds
    assert hold.guard == "outage"
    rollout = action(plan(after, report, allow_downtime=True)).rollout
    assert rollout is not None
    assert rollout.downtime_expected


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
        assert rollout.downtime_expected


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
    found = plan(desired(one("org/a", seqs=2), one("org/c")), report, allow_mass_change=True)
    assert waves(found) == [["gateway", "org--a", "org--b", "org--c"]]


def test_restarts_that_do_not_fit_together_follow_one_another() -> None:
    models = [f"org/{letter}" for letter in "abc"]
    report = deployed(desired(*(one(name) for name in models)), nodes=gpus(4, 3))
    found = plan(desired(*(one(name, seqs=2) for name in models)), report, allow_mass_change=True)
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
    found = plan(desired(one("org/a", seqs=2), one("org/b", seqs=2)), headless, allow_mass_change=True)
    assert waves(found) == [["gateway", "org--a"], ["org--b"]]


def test_a_new_gateway_without_room_is_held() -> None:
    found = plan(desired(), live(nodes=in_use(gpu_nodes(1, 1, 4), CPU=4)))
    assert [(hold.action.name, hold.guard) for hold in found.holds] == [("gateway", "does-not-fit-now")]


def test_a_restart_of_the_gateway_without_room_is_held_without_speaking_of_files() -> None:
    state = desired()
    report = deployed(state, nodes=in_use(gpu_nodes(1, 1, 4), CPU=4))
    changed = replace(
        state.applications[0],
        application=Application(
            {**state.applications[0].application.config, "runtime_env": {"py_modules": ["gcs://new.zip"]}}
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
    assert hold.reason == (
        "2 more replicas need 2 GPU, 4 CPU; free now: 1 GPU, 899 CPU; GPU held by others on the cluster 7"
    )


def test_what_the_plan_itself_starts_is_told_apart_from_what_others_hold() -> None:
    found = plan(desired(one("org/a", gpus=2), one("org/b", gpus=2)), live(nodes=gpus(4, 1)))
    (hold,) = found.holds
    assert hold.reason == (
        "1 more replica needs 2 GPU, 3 CPU; free now: 1 GPU, 896 CPU; "
        "GPU held by others on the cluster 1, what else this plan starts 2"
    )


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


def test_so_many_replicas_start_at_a_time_as_the_cluster_file_says() -> None:
    few = replace(CLUSTER, cluster=CLUSTER.cluster.model_copy(update={"max_parallel_starts": 3}))
    models = [one("org/a"), one("org/b", count=5), one("org/c", count=2), one("org/d")]
    found = plan(desired(*models, cluster=few), live(nodes=gpu_nodes(2)), allow_mass_change=True)
    assert waves(found) == [["gateway"], ["org--b"], ["org--a", "org--c"], ["org--d"]]


def test_without_a_word_fifty_replicas_start_at_a_time() -> None:
    models = [one(f"org/{number:02d}", count=10) for number in range(7)]
    found = plan(desired(*models), live(nodes=gpu_nodes(10, cpus=CPUS)))
    assert [sum(action.replicas_after for action in wave.actions) for wave in found.waves] == [41, 30]


def test_what_fits_only_in_one_order_goes_in_that_order() -> None:
    # The small one first, and Ray puts it on the large node.
    nodes = (node(0, GPU=4.0, CPU=CPUS), node(1, GPU=2.0, CPU=CPUS))
    report = replace(deployed(desired()), nodes=nodes)
    large = model("org/large", scaling={"num_workers": 4, "placement_strategy": "STRICT_PACK"})
    found = plan(desired(large, one("org/small")), report)
    assert waves(found) == [["gateway", "org--large"], ["org--small"]]


def test_what_finds_no_way_is_tried_again_when_another_has_made_room() -> None:
    # Nothing is free. `a` asks first, and finds its two only when `b` has given back four of its five.
    report = deployed(desired(one("org/a", gpus=2), one("org/b", gpus=5)), nodes=gpus(7, 7))
    after = desired(one("org/a", gpus=2, seqs=2), one("org/b", gpus=1, seqs=2, rollout={"strategy": "recreate"}))
    found = plan(after, report, allow_mass_change=True)
    assert waves(found) == [["org--b"], ["org--a"]]
    rollout = action(found).rollout
    assert rollout is not None
    assert rollout.surge_percent == 100


@pytest.mark.parametrize("lucky", [0, 1])
def test_luck_is_not_promised(lucky: int) -> None:
    # For the GPU both nodes are equally good, but the other bundle fits only on one of them.
    cpus = [4.0, 10.0] if lucky else [10.0, 4.0]
    nodes = tuple(node(index, GPU=2.0, CPU=amount) for index, amount in enumerate(cpus))
    scaling = {"bundles": [{"GPU": 1.0}, {"CPU": 8.0}], "placement_strategy": "STRICT_SPREAD"}
    found = plan(desired(model("org/a", scaling=scaling), one("org/b")), replace(deployed(desired()), nodes=nodes))
    assert {action.name for action in found.actions} == {"gateway", "org--a", "org--b"}
    assert [warning for warning in found.warnings if "`org--a`" in warning] == [
        "`org--a` finds a place only if Ray happens to choose well among equally good nodes; what stays pending, apply "
        "rolls back"
    ]


def scattered(*sizes: tuple[str, list[float], str, int]) -> Plan:
    """A first apply of models with these bundles on nodes of 4, 3 and 2 GPUs."""
    nodes = tuple(node(index, GPU=amount, CPU=CPUS) for index, amount in enumerate([4.0, 3.0, 2.0]))
    models = [
        model(
            model_id,
            deployment=replicas(count),
            scaling={"bundles": [{"GPU": amount} for amount in amounts], "placement_strategy": strategy},
        )
        for model_id, amounts, strategy, count in sizes
    ]
    return plan(desired(*models), replace(deployed(desired()), nodes=nodes), allow_mass_change=True)


def test_a_wave_fits_in_every_order() -> None:
    # All fit in the order of their size and in the opposite one. When the half GPU comes second it takes a whole one.
    found = scattered(
        ("org/a", [0.5, 1.0, 2.0], "SPREAD", 1),
        ("org/b", [2.0, 0.6], "SPREAD", 1),
        ("org/c", [0.5], "SPREAD", 1),
        ("org/d", [1.0], "STRICT_PACK", 2),
    )
    assert found.warnings == ()
    assert waves(found) == [["gateway", "org--a", "org--b"], ["org--d"], ["org--c"]]


def test_a_wave_fits_on_whatever_the_one_before_may_leave() -> None:
    # On which node the large one goes is chance, and only one of them has CPUs for two of the others.
    nodes = tuple(node(index, GPU=5.0, CPU=amount) for index, amount in enumerate([8.0, 10.0]))
    large = model("org/large", scaling={"bundles": [{"GPU": 4.0}]})
    others = model("org/others", deployment=replicas(3), scaling={"bundles": [{"GPU": 1.0, "CPU": 5.0}]})
    found = plan(desired(large, others), replace(deployed(desired()), nodes=nodes))
    assert waves(found) == [["gateway", "org--large"], ["org--others"]]
    (warning,) = found.warnings
    assert warning.startswith("`org--others` finds a place only if")


def test_what_has_few_nodes_to_choose_from_goes_first() -> None:
    # The large one first, and Ray may put it on the only node with the card.
    card = "accelerator_type:L4"
    nodes = tuple(node(index, GPU=3.0, CPU=CPUS, **{card: amount}) for index, amount in enumerate([0.0, 1.0]))
    large = model("org/large", scaling={"num_workers": 3, "placement_strategy": "STRICT_PACK"})
    small = model("org/small", scaling={"bundles": [{"GPU": 1.0, card: 0.001}]})
    found = plan(desired(large, small), replace(deployed(desired()), nodes=nodes))
    assert waves(found) == [["gateway", "org--small"], ["org--large"]]
    assert found.warnings == ()


def test_luck_decides_how_much_room_a_replacement_finds() -> None:
    # Both nodes have a GPU free. The new `org/a` takes either, and only when it leaves its node there are two on one.
    def models(seqs: int) -> list[ModelEntry]:
        scaling = {"bundles": [{"GPU": 2.0}]}
        engine = {"engine_kwargs": {"max_num_seqs": seqs}}
        return [one("org/a", seqs=seqs), model("org/b", engine=engine, deployment=replicas(2), scaling=scaling)]

    report = deployed(desired(*models(1)))
    homes = {"org--a": [1], "org--b": [0, 1]}
    nodes = (
        *in_use((node(0, GPU=3.0, CPU=CPUS),), GPU=2.0, CPU=BUSY_CPUS),
        *in_use((node(1, GPU=4.0, CPU=CPUS),), GPU=3.0, CPU=BUSY_CPUS),
    )
    report = replace(report, applications=tuple(standing(there, homes) for there in report.applications), nodes=nodes)
    found = plan(desired(*models(2)), report, allow_mass_change=True)
    assert waves(found) == [["org--a"], ["org--b"]]
    (warning,) = found.warnings
    assert warning.startswith("`org--b` finds a place only if")


def standing(there: LiveApplication, homes: dict[str, list[int]]) -> LiveApplication:
    """The application with its replicas on these nodes."""
    (deployment,) = there.deployments
    moved = [
        replace(replica, node_id=f"node-{home}")
        for replica, home in zip(deployment.replicas, homes.get(there.name, [0]), strict=True)
    ]
    return replace(there, deployments=(replace(deployment, replicas=tuple(moved)),))


@pytest.mark.parametrize("steps", [0, chances.STEPS])
def test_with_no_steps_left_some_orders_are_tried(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chances, "STEPS", steps)
    nodes = (node(0, GPU=4.0, CPU=CPUS), node(1, GPU=3.0, CPU=CPUS))
    models = [
        model(f"org/{name}", scaling={"num_workers": count, "placement_strategy": "STRICT_PACK"})
        for name, count in (("large", 4), ("wide", 2), ("small", 1))
    ]
    found = plan(desired(*models), replace(deployed(desired()), nodes=nodes), allow_mass_change=True)
    assert waves(found) == [["gateway", "org--large"], ["org--small", "org--wide"]]
    assert [warning.split(" find")[0] for warning in found.warnings] == (
        [] if steps else ["whether `org--wide`, `org--small`"]
    )


def test_too_many_ways_to_try_them_all_are_told() -> None:
    nodes = tuple(node(index, GPU=8.0, CPU=CPUS) for index in range(10))
    models = [one(f"org/{number:02d}", gpus=1 + number % 4, count=1) for number in range(30)]
    found = plan(desired(*models), replace(deployed(desired()), nodes=nodes), allow_mass_change=True)
    (warning,) = [warning for warning in found.warnings if "too many" in warning]
    assert re.match(r"whether (`org--\d\d`, ){11}`org--\d\d` and \d+ more find places was tried for some of", warning)


def test_with_room_enough_nothing_needs_to_be_tried() -> None:
    nodes = tuple(node(index, GPU=8.0, CPU=CPUS) for index in range(40))
    models = [one(f"org/{number:02d}", gpus=1 + number % 4, count=1) for number in range(40)]
    found = plan(desired(*models), replace(deployed(desired()), nodes=nodes), allow_mass_change=True)
    assert found.warnings == ()
    assert len(found.waves) == 1
