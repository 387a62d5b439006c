from typing import Any

import pytest

from reconciler.plan.routes import by_application, gateway_beside_holds, live_routes, routes_of
from reconciler.state.application import Application
from reconciler.state.desired import DesiredApplication
from tests.support.states import deployed, desired, foreign, model


def gateway(user_config: Any) -> Application:
    return Application({"name": "gateway", "deployments": [{"name": "Gateway", "user_config": user_config}]})


def table(entry: DesiredApplication) -> set[str]:
    return set(routes_of(entry.application))


@pytest.mark.parametrize("user_config", [None, {}, {"models": None}, {"models": {"a": "text"}}, "text"])
def test_a_table_that_is_not_ours_is_empty(user_config: Any) -> None:
    assert routes_of(gateway(user_config)) == {}


def test_no_gateway_has_no_routes() -> None:
    assert routes_of(None) == {}
    assert live_routes([foreign()]) == {}
    assert routes_of(Application({"name": "gateway"})) == {}


def test_routes_are_found_by_application_where_they_name_one() -> None:
    routes = {"org/a": {"application": "org--a"}, "org/b": {}}
    assert by_application(routes) == {"org--a": ("org/a", {"application": "org--a"})}


def test_without_holds_the_gateway_is_as_wished() -> None:
    state = desired(model("org/a"))
    assert gateway_beside_holds(state, {}, (), ()) is state.applications[0]


def test_a_held_model_keeps_the_entry_it_has() -> None:
    live = live_routes(deployed(desired(model("org/a"))).applications)
    changed = desired(model("org/a", engine={"aliases": ["new"]}))
    entry = gateway_beside_holds(changed, live, {"org--a"}, {"org--a"})
    assert "aliases" not in routes_of(entry.application)["org/a"]


def test_a_held_delete_keeps_its_entry() -> None:
    live = live_routes(deployed(desired(model("org/a"))).applications)
    assert table(gateway_beside_holds(desired(model("org/b")), live, {"org--a"}, {"org--a"})) == {"org/a", "org/b"}


def test_a_held_model_without_an_entry_gets_one_if_it_is_there() -> None:
    state = desired(model("org/a"), model("org/b"))
    assert table(gateway_beside_holds(state, {}, {"org--a"}, {"org--a"})) == {"org/a", "org/b"}
    assert table(gateway_beside_holds(state, {}, {"org--a"}, ())) == {"org/b"}
