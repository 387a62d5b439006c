from dataclasses import replace

import pytest

from reconciler.plan.guards import GUARDS
from reconciler.plan.plan import Plan
from reconciler.state.live import ApplicationStatus
from tests.support.states import deployed, desired, foreign, gpu_nodes, live, live_application, model, plan

A, B = model("org/a"), model("org/b")


def held(found: Plan) -> dict[str, str]:
    return {hold.action.name: hold.guard for hold in found.holds}


def names(found: Plan) -> list[str]:
    return [action.name for action in found.actions]


def documents(found: Plan) -> list[set[str]]:
    return [{entry["name"] for entry in wave.document["applications"]} for wave in found.waves]


def test_every_guard_has_a_name() -> None:
    assert list(GUARDS) == [
        "imperative",
        "owner-conflict",
        "route-taken",
        "protected",
        "mass-delete",
        "still-in-use",
        "outage",
        "mass-change",
    ]


def test_a_program_that_has_the_name_is_never_replaced() -> None:
    program = replace(foreign("org--a"), declarative=False, application=None)
    found = plan(desired(A, B), live(program))
    assert held(found) == {"org--a": "imperative"}
    assert names(found) == ["gateway", "org--b"]
    assert documents(found) == [{"gateway", "org--b"}]
    assert "serve.delete('org--a')" in found.holds[0].release


@pytest.mark.parametrize(
    ("args", "whose"),
    [({"owner": "others"}, "belongs to `others`"), ({}, "carries no owner"), (None, "carries no owner")],
)
def test_an_application_of_somebody_else_is_never_overwritten(args: dict[str, str] | None, whose: str) -> None:
    theirs = foreign("org--a", args=args)
    found = plan(desired(A), live(theirs))
    assert held(found) == {"org--a": "owner-conflict"}
    assert whose in found.holds[0].reason
    assert theirs.application is not None
    assert theirs.application.config in found.waves[0].document["applications"]
    assert found.unmanaged == ("org--a",)


def test_an_application_without_a_config_is_not_ours() -> None:
    found = plan(desired(A), live(replace(foreign("org--a"), application=None)))
    assert held(found) == {"org--a": "owner-conflict"}


def test_the_gateway_waits_when_somebody_serves_its_route() -> None:
    found = plan(desired(A), live(foreign("shop", route_prefix="/")))
    assert held(found) == {"gateway": "route-taken"}
    assert "`shop`" in found.holds[0].reason
    assert names(found) == ["org--a"]


def test_an_application_that_is_being_deleted_takes_no_route() -> None:
    going = replace(foreign("shop", route_prefix="/"), status=ApplicationStatus.DELETING)
    assert held(plan(desired(A), live(going))) == {}


def test_our_own_gateway_takes_no_route_from_itself() -> None:
    state = desired(A)
    assert held(plan(desired(A, B), deployed(state))) == {}


@pytest.mark.parametrize(
    ("before", "after", "guarded"),
    [
        (1, 0, False),  # fewer than two
        (2, 0, True),
        (6, 4, True),  # a third
        (7, 5, False),  # less than 30 %
        (10, 7, False),  # exactly 30 %
    ],
)
def test_many_deletes_at_once_look_like_a_mistake(before: int, after: int, guarded: bool) -> None:
    models = [model(f"org/m{index}") for index in range(before)]
    report = deployed(desired(*models), nodes=gpu_nodes(4))
    found = plan(desired(*models[:after]), report)
    assert ("mass-delete" in held(found).values()) is guarded
    assert held(plan(desired(*models[:after]), report, allow_delete=True)) == {}


def test_held_deletes_stay_and_so_do_their_routes() -> None:
    report = deployed(desired(A, B))
    found = plan(desired(), report)
    assert held(found) == {"org--a": "mass-delete", "org--b": "mass-delete"}
    # Nothing but the routes of the held models would have changed in the gateway.
    assert found.waves == ()
    assert {hold.action.model_id for hold in found.holds} == {"org/a", "org/b"}


def test_a_gateway_that_changes_beside_held_deletes_keeps_their_routes() -> None:
    found = plan(desired(model("org/c")), deployed(desired(A, B)))
    assert names(found) == ["gateway", "org--c"]
    gateway = next(entry for entry in found.waves[0].document["applications"] if entry["name"] == "gateway")
    assert set(gateway["deployments"][0]["user_config"]["models"]) == {"org/a", "org/b", "org/c"}
    assert documents(found) == [{"gateway", "org--a", "org--b", "org--c"}]


def test_a_protected_model_is_not_restarted() -> None:
    keep = {"protect": True}
    report = deployed(desired(model("org/a", rollout=keep)))
    after = desired(model("org/a", rollout=keep, engine={"engine_kwargs": {"max_num_seqs": 1}}))
    assert held(plan(after, report)) == {"org--a": "protected"}
    assert held(plan(after, report, allow_protected=True)) == {}


def test_a_protected_model_may_change_in_place() -> None:
    keep = {"protect": True}
    report = deployed(desired(model("org/a", rollout=keep)))
    assert held(plan(desired(model("org/a", rollout=keep, deployment={"max_ongoing_requests": 3})), report)) == {}


def test_the_cluster_remembers_that_a_model_is_protected_when_its_file_is_gone() -> None:
    report = deployed(desired(model("org/a", rollout={"protect": True}), B))
    found = plan(desired(B), report)
    assert held(found) == {"org--a": "protected"}
    assert found.waves == ()
    assert held(plan(desired(B), report, allow_protected=True)) == {}


def test_one_guard_speaks_for_each_application() -> None:
    report = deployed(desired(model("org/a", rollout={"protect": True}), B))
    assert held(plan(desired(), report)) == {"org--a": "protected", "org--b": "mass-delete"}


def test_orphans_without_a_route_are_deleted_like_others() -> None:
    orphan = live_application({"name": "old", "import_path": "m:b", "args": {"owner": "team"}})
    found = plan(desired(), deployed(desired(), orphan))
    assert [(action.kind, action.name, action.model_id) for action in found.actions] == [("delete", "old", None)]


def fleet(count: int, restarted: int, left: int | None = None, **allowed: bool) -> Plan:
    """A plan over `count` models: the first `restarted` restart, and only the first `left` stay in the registry."""
    names = [f"org/m{index:02}" for index in range(count)]
    report = deployed(desired(*(model(name) for name in names)), nodes=gpu_nodes(16))
    engine = {"engine_kwargs": {"max_num_seqs": 1}}
    wanted = [model(name, engine=engine if index < restarted else {}) for index, name in enumerate(names[:left])]
    return plan(desired(*wanted), report, **allowed)


@pytest.mark.parametrize(
    ("count", "restarted", "guarded"),
    [
        (1, 1, False),  # the only one
        (2, 1, False),
        (2, 2, True),  # all of several
        (9, 8, False),  # too few to speak of a share
        (10, 3, False),  # exactly 30 %
        (10, 4, True),
        (11, 4, True),
        (14, 4, False),
    ],
)
def test_many_restarts_at_once_look_like_a_mistake(count: int, restarted: int, guarded: bool) -> None:
    found = fleet(count, restarted)
    assert held(found) == (
        dict.fromkeys([f"org--m{index:02}" for index in range(restarted)], "mass-change") if guarded else {}
    )
    assert held(fleet(count, restarted, allow_mass_change=True)) == {}


def test_deletes_count_towards_a_mass_change_but_have_their_own_flag() -> None:
    found = fleet(10, 2, 8)
    assert held(found) == {"org--m00": "mass-change", "org--m01": "mass-change"}
    assert found.holds[0].reason == "2 of 10 models would be restarted and 2 deleted, more than 30%"
    assert "`--allow-mass-change`" in found.holds[0].release
    # One flag is enough: either what is deleted is meant, or what is restarted.
    assert held(fleet(10, 2, 8, allow_delete=True)) == {}
    assert held(fleet(10, 2, 8, allow_mass_change=True)) == {}


def test_what_a_mass_delete_holds_counts_nowhere_else() -> None:
    assert set(held(fleet(10, 2, 5)).values()) == {"mass-delete"}
    everything = fleet(2, 1, 1)
    assert everything.holds[0].reason == "1 of 2 models would be restarted and 1 deleted, all there are"


def test_what_is_held_anyway_counts_nowhere_else() -> None:
    keep = {"protect": True}
    report = deployed(desired(model("org/a", rollout=keep), B))
    longer = {"max_total_tokens": 9}
    after = desired(model("org/a", engine=longer, rollout=keep), model("org/b", engine=longer))
    assert held(plan(after, report)) == {"org--a": "protected"}


def test_a_change_in_place_of_every_model_is_no_mass_change() -> None:
    report = deployed(desired(A, B))
    lighter = {"max_ongoing_requests": 3}
    assert held(plan(desired(model("org/a", deployment=lighter), model("org/b", deployment=lighter)), report)) == {}


def test_restarting_what_does_not_serve_is_no_mass_change() -> None:
    state = desired(A, B)
    broken = [live_application(entry.application.config, replica_state="STARTING") for entry in state.applications]
    after = desired(*(model(name, engine={"max_total_tokens": 9}) for name in ("org/a", "org/b")))
    assert held(plan(after, live(*broken))) == {}


def test_any_change_that_sets_the_count_back_to_none_is_an_outage() -> None:
    asleep = {"autoscaling_config": {"min_replicas": 0, "max_replicas": 2, "initial_replicas": 0}}
    awake = live_application(desired(model("org/a", deployment=asleep)).applications[1].application.config, count=2)
    state = desired(model("org/a", deployment={**asleep, "max_ongoing_requests": 3}))
    report = live(deployed(desired()).applications[0], awake)
    found = plan(state, report)
    assert held(found)["org--a"] == "outage"
    (hold,) = (hold for hold in found.holds if hold.action.name == "org--a")
    assert "`initial_replicas`" in hold.release
    assert "org--a" not in held(plan(state, report, allow_downtime=True))
    # What sleeps already loses nothing.
    sleeping = live_application(desired(model("org/a", deployment=asleep)).applications[1].application.config, count=0)
    assert held(plan(state, live(deployed(desired()).applications[0], sleeping))) == {}
