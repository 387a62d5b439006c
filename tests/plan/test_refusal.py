"""What people read of a model that finds no room."""

from dataclasses import replace
from typing import Any

from reconciler.plan.plan import Plan
from reconciler.registry.registry import ModelEntry
from reconciler.state.live import LiveApplication, LiveDeployment, Replica
from tests.support.states import (
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
)


def one(model_id: str, gpus: int = 1, **scaling: Any) -> ModelEntry:
    return model(model_id, scaling={"num_workers": gpus, **scaling})


def reason(found: Plan, name: str) -> str:
    return next(hold.reason for hold in found.holds if hold.action.name == name)


def theirs(name: str, count: int, options: dict[str, Any]) -> LiveApplication:
    entry = foreign(name)
    replicas = tuple(Replica(f"{name}#{index}", "RUNNING", "node-0") for index in range(count))
    deployment = LiveDeployment("App", "HEALTHY", "", count, (*replicas, Replica("new", "STARTING")), options)
    return LiveApplication(name, entry.status, "", entry.application, (deployment,), route_prefix=f"/{name}")


def test_the_room_is_told_per_node_and_by_who_holds_it() -> None:
    ours = desired(*(one(f"org/{letter}") for letter in "abcde"))
    report = deployed(
        ours,
        theirs("theirs", 2, {"placement_group_bundles": [{"GPU": 1.0}, {"GPU": 1.0}]}),
        theirs("actors", 1, {"ray_actor_options": {"num_cpus": 1, "num_gpus": 0.5, "resources": {"disk": 1}}}),
        nodes=in_use(gpu_nodes(2, 7), GPU=6, CPU=10),
    )
    found = plan(
        desired(
            *(one(f"org/{letter}") for letter in "abcde"), one("org/new", gpus=2, placement_strategy="STRICT_PACK")
        ),
        report,
    )
    assert reason(found, "org--new") == (
        "1 more replica needs 2 GPU, 3 CPU; free now: 2 GPU, 108 CPU over 2 nodes, at most 1 GPU on one; "
        "GPU held by `theirs` 4, `org--a` 1, `org--b` 1, `org--c` 1, 3 other applications 2.5, "
        "others on the cluster 2.5"
    )


def test_without_gpus_it_is_about_the_resource_that_was_asked_for() -> None:
    found = plan(
        desired(one("org/a", num_gpus_per_worker=0, resources_per_worker={"disk": 2.0})),
        live(nodes=in_use([node_with_disk()], disk=1.0)),
    )
    assert reason(found, "org--a") == (
        "1 more replica needs 2 CPU, 2 disk; free now: 63 CPU, 1 disk; disk held by others on the cluster 1"
    )


def node_with_disk() -> Any:
    (found,) = gpu_nodes(1)
    return type(found)(found.node_id, {**found.total, "disk": 2.0}, {})


def test_a_placement_that_ray_does_not_look_for_is_no_promise_and_not_called_impossible() -> None:
    bundles = [{"GPU": 3.0}, {"GPU": 2.0}, {"GPU": 2.0}]
    nodes = (gpu_nodes(1, 4)[0], type(gpu_nodes(1)[0])("node-1", {"GPU": 3.0, "CPU": 64.0}, {}))
    found = plan(desired(one("org/a", bundles=bundles)), live(nodes=nodes))
    (hold,) = found.holds
    assert hold.guard == "does-not-fit-now"
    assert "a placement exists, but none that Ray finds" in hold.reason


def test_what_is_not_known_is_said() -> None:
    bundles = tuple({"GPU": 0.3} for _ in range(201))
    found = plan(desired(one("org/a", bundles=list(bundles))), live(nodes=gpu_nodes(1, 61)))
    (hold,) = found.holds
    assert hold.guard == "does-not-fit-now"
    assert "is not known (the search was cut short)" in hold.reason


def test_what_needs_nothing_is_never_without_room() -> None:
    report = live(live_application(desired().applications[0].application.config), nodes=gpu_nodes(1))
    found = plan(desired(one("org/a", bundles=[])), report)
    assert [action.name for action in found.actions] == ["gateway", "org--a"]


def test_where_the_cluster_does_not_say_what_is_in_use_the_replicas_are_counted() -> None:
    ours = desired(one("org/a", gpus=2), one("org/b"))
    group = {"placement_group_bundles": [{"GPU": 1.0}, {"GPU": 1.0}]}
    quiet = [replace(node(index, GPU=4, CPU=64), use_is_told=False) for index in range(2)]
    after = desired(one("org/a", gpus=2), one("org/b"), one("org/c"))
    fits = deployed(ours, theirs("theirs", 2, group), nodes=quiet)
    found = plan(after, fits)
    assert [action.name for action in found.actions] == ["gateway", "org--c"]
    assert found.warnings == (
        "the cluster does not say what is in use on 2 of its 2 nodes, as with the second version of Ray's autoscaler: "
        "only what the replicas of Serve hold there is counted",
    )
    full = deployed(
        ours, theirs("theirs", 2, group), theirs("more", 1, {"ray_actor_options": {"num_gpus": 1}}), nodes=quiet
    )
    assert "GPU held by `theirs` 4, `org--a` 2, `more` 1, `org--b` 1" in reason(plan(after, full), "org--c")
    told = deployed(ours, theirs("theirs", 2, group), nodes=[node(0, GPU=4, CPU=64)])
    assert plan(after, told).warnings == ()
