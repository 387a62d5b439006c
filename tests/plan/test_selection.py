from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.build import source_digest
from reconciler.plan.change import Impact
from reconciler.plan.encode import plan_json
from reconciler.plan.plan import Plan
from reconciler.plan.selection import SelectionError, select
from reconciler.registry.registry import ModelEntry
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from tests.support.states import (
    CLUSTER,
    OWNER,
    PACKAGES,
    deployed,
    desired,
    foreign,
    gpu_nodes,
    live,
    live_application,
    model,
    plan,
    registry,
    replicas,
)

OTHER_ENGINE = {"max_total_tokens": 4096}


def only(state: DesiredState, report: LiveState, *models: str, **allowed: bool) -> Plan:
    return plan(state, report, models=models, **allowed)


def deeds(made: Plan) -> dict[str, str]:
    return {action.name: action.kind.value for action in made.actions}


def sent(made: Plan) -> dict[str, Mapping[str, Any]]:
    return {config["name"]: config for config in made.waves[-1].document["applications"]}


def routes(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(config["deployments"][0]["user_config"]["models"])


def two(**sections: Any) -> tuple[ModelEntry, ModelEntry]:
    return model("org/a", **sections), model("org/b", **sections)


def changed() -> tuple[ModelEntry, ModelEntry]:
    """Both in their engine and in their entry of the routing table."""
    return two(engine={**OTHER_ENGINE, "aliases": []}, scaling={"num_workers": 2})


def test_only_the_chosen_model_is_changed_and_everything_else_is_sent_as_it_is_live() -> None:
    report = deployed(desired(*two()), foreign(), nodes=gpu_nodes(2))
    made = only(desired(*changed()), report, "org/a")
    assert deeds(made) == {"org--a": "update"}
    before = {entry.name: entry.application.config for entry in report.applications if entry.application}
    document = sent(made)
    assert document.keys() == before.keys()
    assert {name for name in before if document[name] != before[name]} == {"org--a"}
    assert made.left_out == ("org--b",)
    assert made.options.models == ("org/a",)


def shared(**traffic: Any) -> tuple[ModelEntry, ModelEntry]:
    """`org/a`, for which `org/b` answers as well."""
    return model("org/a", traffic=traffic), model("org/b")


CANARY = {"canary": {"model": "org/b", "percent": 5}}


def test_a_canary_and_a_fallback_go_along_with_the_model_that_they_answer_for() -> None:
    report = deployed(desired(*shared()), nodes=gpu_nodes(2))
    made = only(desired(*shared(**CANARY, fallback="org/b")), report, "org/a")
    (gateway,) = made.actions
    assert gateway.impact is Impact.RECONFIGURE
    assert routes(sent(made)["gateway"])["org/a"] == {
        "application": "org--a",
        "deployment": "LLMServer:org--a",
        "kind": "generation",
        "canary": {"model": "org/b", "percent": 5},
        "fallback": "org/b",
        "package": PACKAGES.engine,
    }


@pytest.mark.parametrize("traffic", [CANARY, {"fallback": "org/b"}])
def test_a_model_that_is_to_answer_for_another_one_is_planned_with_it(traffic: dict[str, Any]) -> None:
    wanted = desired(*shared(**traffic))
    only_a = deployed(desired(model("org/a")), nodes=gpu_nodes(2))
    with pytest.raises(SelectionError, match="`org/b` answers for `org/a`") as raised:
        only(wanted, only_a, "org/a")
    assert raised.value.hint == "plan them together: `--model org/a --model org/b`"
    assert deeds(only(wanted, only_a, "org/a", "org/b"))["org--b"] == "create"


def test_a_model_that_answers_for_another_one_is_not_deleted_without_it() -> None:
    report = deployed(desired(*shared(**CANARY)), nodes=gpu_nodes(2))
    with pytest.raises(SelectionError, match="`org/b` answers for `org/a`"):
        only(desired(model("org/a")), report, "org/b", allow_delete=True)
    both = only(desired(model("org/a")), report, "org/a", "org/b", allow_delete=True)
    assert "canary" not in routes(sent(both)["gateway"])["org/a"]


def test_the_routing_table_changes_for_the_chosen_models_alone() -> None:
    stops = {"generation": {"stopping_sequences": ["stop"]}}
    report = deployed(desired(*two()), nodes=gpu_nodes(2))
    made = only(desired(*two(engine=stops)), report, "org/a")
    (gateway,) = made.actions
    assert gateway.impact is Impact.RECONFIGURE
    table = routes(sent(made)["gateway"])
    assert table["org/a"]["stop"] == ["stop"]
    assert "stop" not in table["org/b"]


def test_a_chosen_model_is_created_with_its_route() -> None:
    report = deployed(desired(model("org/a")), nodes=gpu_nodes(2))
    made = only(desired(*two(engine=OTHER_ENGINE), model("org/c")), report, "org/b")
    assert deeds(made) == {"gateway": "update", "org--b": "create"}
    assert routes(sent(made)["gateway"]).keys() == {"org/a", "org/b"}
    assert made.left_out == ("org--a", "org--c")


def test_a_model_whose_file_is_gone_is_chosen_by_its_id_and_deleted_alone() -> None:
    report = deployed(desired(*two(), model("org/c")), nodes=gpu_nodes(2))
    made = only(desired(model("org/a")), report, "org/b")
    assert deeds(made) == {"gateway": "update", "org--b": "delete"}
    assert routes(sent(made)["gateway"]).keys() == {"org/a", "org/c"}
    assert made.left_out == ("org--c",)


def test_without_a_gateway_it_is_created_for_the_chosen_models() -> None:
    made = only(desired(*two()), live(foreign()), "org/a")
    assert deeds(made) == {"gateway": "create", "org--a": "create"}
    assert routes(sent(made)["gateway"]).keys() == {"org/a"}


def other_gateway() -> Any:
    settings = CLUSTER.cluster.gateway.model_copy(update={"replicas": 3})
    return replace(CLUSTER, cluster=CLUSTER.cluster.model_copy(update={"gateway": settings}))


def test_the_gateways_own_settings_change_only_when_it_is_chosen_by_name() -> None:
    report = deployed(desired(*two()))
    state = desired(*two(engine={"aliases": ["short"]}), cluster=other_gateway())
    narrow = only(state, report, "*")
    assert narrow.actions[0].replicas_after == 1
    assert narrow.left_out == ("gateway",)
    assert only(state, report, "gateway", "org/a").left_out == ()
    made = only(state, report, "gateway", "org/a")
    (gateway,) = made.actions
    assert gateway.replicas_after == 3
    assert "aliases" in routes(sent(made)["gateway"])["org/a"]
    assert deeds(only(state, report, "gateway")) == {"gateway": "update"}


def test_the_gateway_is_sent_as_it_is_written_live() -> None:
    # 1.0 and 1 are two code versions: rewriting it would restart the gateway.
    gateway, *rest = (entry.application.config for entry in desired(*two()).applications)
    spelled = {**gateway, "args": {**gateway["args"], "num_cpus": 1.0}}
    spelled["deployments"] = [*gateway["deployments"], {"name": "Extra"}]
    report = live(*(live_application(config) for config in (spelled, *rest)), nodes=gpu_nodes(2))
    made = only(desired(*two(engine={"aliases": ["x"]})), report, "org/a")
    after = sent(made)["gateway"]
    assert repr(after["args"]) == repr(spelled["args"])
    assert after["deployments"][1] == {"name": "Extra"}
    assert made.actions[0].impact is Impact.RECONFIGURE


@pytest.mark.parametrize(
    "damage", [{"autoscaling_config": None}, {"user_config": None}, {"user_config": {"models": 1}}]
)
def test_a_gateway_that_somebody_damaged_is_dealt_with(damage: Mapping[str, Any]) -> None:
    gateway, *rest = (entry.application.config for entry in desired(*two()).applications)
    broken = {**gateway, "deployments": [{**gateway["deployments"][0], **damage}]}
    report = live(*(live_application(config) for config in (broken, *rest)), nodes=gpu_nodes(2))
    made = only(desired(*two(engine={"aliases": ["x"]})), report, "org/a")
    assert routes(sent(made)["gateway"])["org/a"]["aliases"] == ["x"]


@pytest.mark.parametrize(
    "gateway",
    [
        {"name": "gateway", "args": {"owner": OWNER}, "deployments": []},
        {"name": "gateway", "args": {"owner": OWNER}, "deployments": [{"name": "Other"}]},
    ],
)
def test_a_gateway_without_its_deployment_is_brought_back_as_a_whole(gateway: Mapping[str, Any]) -> None:
    made = only(desired(*two()), live(live_application(gateway), nodes=gpu_nodes(2)), "org/a")
    assert deeds(made) == {"gateway": "update", "org--a": "create"}
    assert routes(sent(made)["gateway"]).keys() == {"org/a"}


def test_a_gateway_that_goes_away_counts_as_gone() -> None:
    config = desired().applications[0].application.config
    leaving = live_application(config, status=ApplicationStatus.DELETING)
    assert deeds(only(desired(*two()), live(leaving), "org/a"))["gateway"] == "create"


def test_entries_of_the_table_that_are_not_of_our_making_stay() -> None:
    gateway, *rest = (entry.application.config for entry in desired(*two()).applications)
    override = gateway["deployments"][0]
    models = {**override["user_config"]["models"], "odd": "by hand", "odder": {"aliases": "no list"}}
    odd = {**gateway, "deployments": [{**override, "user_config": {"models": models}}]}
    report = live(*(live_application(config) for config in (odd, *rest)), nodes=gpu_nodes(2))
    table = routes(sent(only(desired(*two(engine={"aliases": ["x"]})), report, "org/a"))["gateway"])
    assert table["odd"] == "by hand"
    assert table["odder"] == {"aliases": "no list"}


def test_beside_a_hold_the_gateway_is_still_sent_as_it_is_written() -> None:
    gateway, *rest = (entry.application.config for entry in desired(*two(rollout={"protect": True})).applications)
    spelled = {**gateway, "args": {**gateway["args"], "num_cpus": 1.0}}
    report = live(*(live_application(config) for config in (spelled, *rest)), nodes=gpu_nodes(2))
    held, other = two(rollout={"protect": True}, engine={"aliases": ["x"]})
    held = model("org/a", rollout={"protect": True}, engine={**OTHER_ENGINE, "aliases": ["y"]})
    other = model("org/b", rollout={"protect": True}, engine={"aliases": ["x"]})
    made = only(desired(held, other), report, "org/*")
    assert repr(sent(made)["gateway"]["args"]) == repr(spelled["args"])
    assert "aliases" not in routes(sent(made)["gateway"])["org/a"]
    assert made.actions[0].impact is Impact.RECONFIGURE


def test_a_held_model_keeps_its_entry() -> None:
    report = deployed(desired(*two(rollout={"protect": True})), nodes=gpu_nodes(2))
    edit = {**OTHER_ENGINE, "aliases": ["x"]}
    made = only(desired(*two(rollout={"protect": True}, engine=edit)), report, "org/a")
    assert [hold.action.name for hold in made.holds] == ["org--a"]
    assert made.waves == ()


def test_warnings_are_about_the_chosen_models() -> None:
    state = desired(*two())
    failed = [
        live_application(entry.application.config, status=ApplicationStatus.UNHEALTHY)
        for entry in state.applications
        if entry.name != "gateway"
    ]
    report = live(live_application(state.applications[0].application.config), *failed)
    assert ["org--a" in text for text in only(state, report, "org/a").warnings] == [True]


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("org/a", {"org--a"}),
        ("org--a", {"org--a"}),
        ("org/*", {"org--a", "org--b"}),
        ("*-v[12]", {"other--x-v1"}),
        ("*", {"org--a", "org--b", "other--x-v1"}),
        ("gateway", {"gateway"}),
    ],
)
def test_names_and_patterns(pattern: str, chosen: set[str]) -> None:
    found = select([pattern], desired(*two(), model("other/x-v1")), live())
    assert found is not None
    assert found.chosen == chosen


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("org/aa", "no model `org/aa` in the registry or on the cluster", "did you mean `org/a`?"),
        ("Org/A", "no model `Org/A` in the registry or on the cluster", "did you mean `org/a`?"),
        ("zzz", "no model `zzz` in the registry or on the cluster", "there are `org/a`, `org/b`"),
        ("zzz*", "no model matches `zzz*`", "there are `org/a`, `org/b`"),
        ("theirs", "no model `theirs` in the registry or on the cluster", "there are `org/a`, `org/b`"),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_the_nearest(pattern: str, message: str, hint: str) -> None:
    with pytest.raises(SelectionError) as error:
        select(["org/a", pattern], desired(*two()), live(foreign()))
    assert (error.value.message, error.value.hint) == (message, hint)


def test_of_many_models_a_few_are_named() -> None:
    with pytest.raises(SelectionError) as error:
        select(["zzz"], desired(*(model(f"org/m{number:02}") for number in range(15))), live())
    assert error.value.hint.endswith("`org/m11` and 3 more")


def test_an_empty_registry_has_only_a_gateway() -> None:
    with pytest.raises(SelectionError) as error:
        select(["zzz"], desired(), live())
    assert error.value.hint == "there are `gateway`"


def test_an_alias_that_another_model_still_has_is_planned_with_that_one() -> None:
    report = deployed(desired(model("org/a", engine={"aliases": ["x"]}), model("org/b")))
    state = desired(model("org/a"), model("org/b", engine={"aliases": ["x"]}))
    with pytest.raises(SelectionError) as error:
        only(state, report, "org/b")
    assert error.value.message == "`x` is to mean `org/b`, and still means `org/a` on the cluster"
    assert error.value.hint == "plan them together: `--model org/b --model org/a`"
    assert deeds(only(state, report, "org/b", "org/a")) == {"gateway": "update"}


def test_another_models_file_changes_nothing_in_it() -> None:
    report = deployed(desired(*two()), nodes=gpu_nodes(2))
    edits = (model("org/a", engine=OTHER_ENGINE), model("org/b"))
    more = (model("org/a", engine=OTHER_ENGINE), model("org/b", deployment=replicas(1, 3)), model("org/c"))
    made, later = (plan_json(only(desired(*models), report, "org/a")) for models in (edits, more))
    differing = {key for key in made if made[key] != later[key]}
    assert differing == {"left_out", "digest"}


def test_the_digest_of_a_selection_is_of_the_chosen_models() -> None:
    state, report = desired(*two()), live()
    chosen = select(["org/a"], state, report)
    edited = (model("org/a"), model("org/b", engine=OTHER_ENGINE))
    first, second = (source_digest(registry(*models), CLUSTER, PACKAGES, chosen) for models in (two(), edited))
    assert first == second
    assert first != source_digest(registry(*changed()), CLUSTER, PACKAGES, chosen)
    assert first != source_digest(registry(*two()), CLUSTER, PACKAGES)


def test_nothing_chosen_means_everything() -> None:
    assert select([], desired(*two()), live()) is None
    assert only(desired(*two()), live()).left_out == ()


def test_a_gateway_of_somebody_else_is_left_alone() -> None:
    # A gateway of somebody else is no gateway of ours: the guard holds the create, and the model's route with it.
    theirs = live_application({"name": "gateway", "import_path": "x:y", "route_prefix": "/g"})
    made = only(desired(*two()), live(theirs), "org/a")
    assert [hold.guard for hold in made.holds] == ["owner-conflict"]
    assert Application(sent(made)["gateway"]).owner is None
