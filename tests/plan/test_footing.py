from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.footing import Footing, footing, hardest_first, live_bundles, room_of
from reconciler.plan.match import match
from reconciler.registry.choices import EngineType
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState, Node
from reconciler.state.placement import Room
from tests.support.states import deployed, desired, gpu_nodes, in_use, live, live_application, model, replicas


def footings(state: DesiredState, report: LiveState) -> dict[str, Footing]:
    _, index = room_of(report)
    return {found.name: footing(found, index) for found in match(state, report).candidates}


def only(state: DesiredState, report: LiveState) -> Footing:
    return footings(state, report)["org--chat"]


def test_a_create_starts_with_its_lower_bound() -> None:
    one = only(desired(model(deployment=replicas(2, 4))), live())
    assert (one.before, one.after, one.growth, one.wanted_beside, one.homes) == (0, 2, 2, 2, ())


def test_initial_replicas_are_what_a_first_deployment_starts_with() -> None:
    assert only(desired(model(deployment=replicas(1, 4, initial_replicas=3))), live()).after == 3


@pytest.mark.parametrize(("bounds", "after"), [((1, 9), 4), ((6, 9), 6), ((1, 2), 2)])
def test_a_change_keeps_the_autoscaled_count_within_the_new_bounds(bounds: tuple[int, int], after: int) -> None:
    state = desired(model(deployment=replicas(4)))
    assert only(desired(model(deployment=replicas(*bounds))), deployed(state)).after == after


def test_a_change_resets_the_count_to_initial_replicas() -> None:
    state = desired(model(deployment=replicas(4)))
    assert only(desired(model(deployment=replicas(1, 9, initial_replicas=1))), deployed(state)).after == 1


def test_an_application_that_is_being_built_starts_anew() -> None:
    report = deployed(desired(model(deployment=replicas(2))))
    building = replace(report, applications=tuple(replace(one, deployments=()) for one in report.applications))
    one = only(desired(model(deployment=replicas(3))), building)
    assert (one.before, one.after, one.serves) == (0, 3, False)


def test_only_replicas_on_known_nodes_hold_resources() -> None:
    state = desired(model())
    app = live_application(state.applications[1].application.config, count=3, homes=["node-1", "gone", "node-0"])
    one = only(desired(model(engine={"max_total_tokens": 9})), live(app, nodes=gpu_nodes(2)))
    assert one.homes == (1, 0)
    assert one.serves


def test_a_starting_replica_does_not_serve() -> None:
    state = desired(model())
    app = live_application(state.applications[1].application.config, replica_state="STARTING")
    assert only(desired(model(engine={"max_total_tokens": 9})), live(app)).starts_anew


def test_a_delete_wants_nothing() -> None:
    one = only(desired(), deployed(desired(model())))
    assert (one.after, one.wanted_beside, one.new) == (0, 0, Bundles(()))


def test_live_bundles_are_read_from_what_was_rendered() -> None:
    for entry in desired(model(scaling={"placement_strategy": "STRICT_PACK"})).applications:
        assert live_bundles(entry.application).bundles == entry.bundles.bundles


@pytest.mark.parametrize("kind", EngineType)
def test_live_bundles_of_every_engine_are_those_it_was_given(kind: EngineType) -> None:
    gguf = {"scaling": {"num_workers": 2, "resources_per_worker": {"accelerator_type:L4": 0.001}}}
    entry = model(engine={"type": kind}, **(gguf if kind is EngineType.LLAMA_CPP else {}))
    [_, found] = desired(entry).applications
    assert live_bundles(Application(found.application.config)).bundles == found.bundles.bundles


@pytest.mark.parametrize("args", [None, "text", {}, {"llm_config": None}, {"llm_config": {}}])
def test_live_bundles_of_something_else_are_none(args: Any) -> None:
    assert live_bundles(Application({"name": "a", "args": args})) == Bundles(())


def test_live_bundles_that_somebody_spoilt_count_as_far_as_they_make_sense() -> None:
    args = {"llm_config": {"placement_group_config": {"bundles": [{"GPU": 1, "CPU": "many"}, "text"]}}}
    assert live_bundles(Application({"name": "a", "args": args})) == Bundles(({"GPU": 1.0}, {}))
    args = {"ray_actor_options": {"num_cpus": "many", "num_gpus": 1, "resources": 3}}
    assert live_bundles(Application({"name": "a", "args": args})) == Bundles(({"GPU": 1.0},))


def test_the_room_is_what_is_not_in_use_by_node() -> None:
    room, index = room_of(live(nodes=reversed(in_use(gpu_nodes(2), GPU=3.0))))
    assert index == {"node-0": 0, "node-1": 1}
    assert room.free[0] == {"GPU": 5.0, "CPU": 64.0}


def test_the_gateway_comes_first_and_then_the_hardest_to_place() -> None:
    four, card = {"num_workers": 4}, {"bundles": [{"GPU": 1, "accelerator_type:L4": 0.001}]}
    state = desired(
        model("org/a"), model("org/b", scaling=four), model("org/c", scaling=four), model("org/d", scaling=card)
    )
    found = footings(state, live()).values()
    node = {"GPU": 8.0, "CPU": 64.0, "accelerator_type:L4": 1.0}
    assert [one.name for one in hardest_first(found, Room([node] * 2))] == [
        "gateway",
        "org--b",
        "org--c",
        "org--a",
        "org--d",
    ]
    two_kinds = Room([node, {"GPU": 8.0, "CPU": 64.0}])
    assert [one.name for one in hardest_first(found, two_kinds)] == ["gateway", "org--d", "org--b", "org--c", "org--a"]


def test_the_devices_of_our_fractions_are_known() -> None:
    half = model(scaling={"num_gpus_per_worker": 0.6}, deployment=replicas(2))
    report = deployed(desired(half), nodes=in_use(gpu_nodes(1, 2), GPU=1.2, CPU=9))
    room, _ = room_of(report)
    # 0.8 is free, but on two devices.
    assert room.take(Bundles(({"GPU": 0.6},))) is None
    assert room.take(Bundles(({"GPU": 0.4},))) is not None


def test_what_a_node_makes_up_for_itself_counts_only_where_it_is_wanted() -> None:
    total = {"GPU": 1.0, "memory": 5e9, "node:10.0.0.1": 1.0}
    report = live(nodes=[Node("node-0", total, {})])
    assert room_of(report)[0].free == ({"GPU": 1.0},)
    assert room_of(report, {"memory", "node:10.0.0.1"})[0].free == (total,)


def test_applications_that_ask_for_the_same_share_what_was_read() -> None:
    report = deployed(desired(model("org/a"), model("org/b")))
    texts = [entry.application.text for entry in report.applications if entry.application]
    read = [Application.submitted(text) for text in texts]
    entries = zip(report.applications, read, strict=True)
    again = replace(report, applications=tuple(replace(entry, application=one) for entry, one in entries))
    _, first, second = [live_bundles(one) for one in read if one]
    assert first is second
    assert room_of(again)[0].used == room_of(report)[0].used
    assert room_of(again)[0].total == room_of(report)[0].total
