"""Dashboard answers become values, and answers that must not be believed become `UnknownState`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.serve import wire
from reconciler.serve.errors import BadAnswer
from reconciler.state.live import ApplicationStatus, LiveState, UnknownState
from tests.support.dashboard import NODES, STATUS, VERSION, application_details, rows, serve_details

ODD = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.sampled_from(
    ["name", "status", "message", "deployments", "deployed_app_config", "replicas", "last_deployed_time_s", "Light"]
)


def read(details: Any = None, nodes: Any = NODES, status: Any = STATUS) -> LiveState:
    return wire.live_state(details or serve_details(a=application_details("a")), VERSION, nodes, status)


def trusted(details: Any, replicas: tuple[str, ...] = ()) -> LiveState | UnknownState:
    return wire.trusted_state(details, VERSION, NODES, STATUS, replicas)


def test_an_application_is_read_with_config_health_and_replicas() -> None:
    (live,) = read().applications
    assert live.status is ApplicationStatus.RUNNING
    assert live.declarative
    assert live.last_deployed_s == 1795257121.25
    assert live.application is not None and live.application.owner == "tests"
    assert live.replica_ids == ("r1",)
    (deployment,) = live.deployments
    assert deployment.target_num_replicas == 1
    assert deployment.options["max_ongoing_requests"] == 5
    assert deployment.replicas[0].log_file_path == "/serve/replica_r1.log"
    assert [replica.replica_id for replica in deployment.recent_dead] == ["r0"]


def test_applications_are_sorted_by_name() -> None:
    state = read(serve_details(b=application_details("b"), a=application_details("a")))
    assert [live.name for live in state.applications] == ["a", "b"]


def test_an_imperative_application_has_no_config() -> None:
    state = read(serve_details(a=application_details("a", source="imperative", deployed_app_config=None)))
    assert state.applications[0].application is None
    assert not state.applications[0].declarative


def test_messages_come_without_colours() -> None:
    state = read(serve_details(a=application_details("a", message="\x1b[36mray::f()\x1b[39m failed")))
    assert state.applications[0].message == "ray::f() failed"


def test_the_nodes_that_live_are_read_with_what_is_used() -> None:
    (node,) = read().nodes
    assert (node.node_id, node.use_is_told) == ("n1", True)
    assert node.total["GPU"] == 2.0
    assert node.used == {"CPU": 3.0, "accelerator_type:L4": 0.5, "node:__internal_head__": 0.001}


def test_when_the_cluster_looked_at_what_is_used_is_read() -> None:
    assert read().use_told_s == 1795257123.5


@pytest.mark.parametrize("status", [None, {}, {"data": None}, {"data": {"clusterStatus": {}}}])
def test_without_a_usage_report_nothing_counts_as_used(status: Any) -> None:
    assert read(status=status).nodes[0].used == {}
    assert not read(status=status).nodes[0].use_is_told
    assert read(status=status).use_told_s is None


def test_cluster_wide_options_are_kept_without_nulls_and_secrets() -> None:
    assert read().options == {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": 8000, "root_path": ""},
        "grpc_options": {"port": 9000, "grpc_servicer_functions": []},
    }


def test_a_target_capacity_is_repeated() -> None:
    assert read({**serve_details(), "target_capacity": 50.0}).options["target_capacity"] == 50.0


def test_a_logging_config_that_every_application_has_is_the_global_one() -> None:
    config = {"log_level": "DEBUG"}

    def entry(name: str, **more: Any) -> Any:
        return application_details(name, deployed_app_config={"name": name, "import_path": "m:b", **more})

    everywhere = serve_details(a=entry("a", logging_config=config), b=entry("b", logging_config=config))
    assert read(everywhere).global_logging_config == config
    assert read(serve_details(a=entry("a", logging_config=config), b=entry("b"))).global_logging_config is None
    assert read(serve_details()).global_logging_config is None


def test_a_cluster_that_never_started_serve_is_empty_and_believable() -> None:
    state = trusted({"controller_info": {}, "proxies": {}, "applications": {}, "target_capacity": None})
    assert isinstance(state, LiveState)
    assert state.applications == ()
    assert state.options == {}


def test_an_empty_list_beside_living_replicas_is_unknown() -> None:
    state = trusted(serve_details(), ("SERVE_REPLICA::a#Light#r1",))
    assert isinstance(state, UnknownState)
    assert "lists no application, but 1 of its replicas live" in state.reason


def test_redacted_values_are_unknown_wherever_they_are() -> None:
    config = {"name": "a", "import_path": "m:b", "runtime_env": {"env_vars": {"TOKEN": "<redacted>"}}}
    state = trusted(serve_details(a=application_details("a", deployed_app_config=config)))
    assert isinstance(state, UnknownState)
    assert "<redacted>" in state.reason
    assert wire.is_redacted([{"a": ["<redacted>"]}])
    assert not wire.is_redacted({"a": "redacted"})


@pytest.mark.parametrize(
    ("details", "missing"),
    [
        ({}, "applications"),
        (None, "applications"),
        ([], "applications"),
        ({"applications": []}, "applications"),
        (serve_details(a={"name": "a"}), "status"),
        (serve_details(a=application_details("a", status="SLEEPING")), "SLEEPING"),
        (serve_details(a=application_details("a", deployments=None)), "deployments"),
        (
            serve_details(a=application_details("a", deployments={"Light": {"status": "HEALTHY"}})),
            "target_num_replicas",
        ),
    ],
)
def test_an_answer_that_is_not_ray_s_is_unknown_and_says_what_is_missing(details: Any, missing: str) -> None:
    state = trusted(details)
    assert isinstance(state, UnknownState)
    assert missing in state.reason
    assert state.hint


@given(st.recursive(ODD | st.sampled_from(["RUNNING"]), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_no_answer_whatever_it_is_makes_the_reader_fail(answer: Any) -> None:
    for details in (answer, {"applications": answer}, serve_details(a=answer), application_in(answer)):
        assert isinstance(trusted(details), LiveState | UnknownState)


def application_in(answer: Any) -> Any:
    fields = answer if isinstance(answer, dict) else {"deployments": {"Light": answer}}
    return serve_details(a={**application_details("a"), **fields})


def test_the_type_of_a_node_is_the_group_that_the_autoscaler_labelled_it_with() -> None:
    assert read().nodes[0].node_type is None
    row = NODES["data"]["result"]["result"][0]
    labelled = rows({**row, "labels": {"ray.io/node-group": "l4-small"}})
    assert read(nodes=labelled).nodes[0].node_type == "l4-small"


def test_a_node_list_without_rows_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer, match="list of nodes"):
        read(nodes={"result": False, "data": None})


def test_replica_actors_that_live_are_found_by_their_names() -> None:
    actors = rows(
        {"name": "SERVE_REPLICA::a#Light#r1", "state": "ALIVE"},
        {"name": "SERVE_REPLICA::a#Light#r0", "state": "DEAD"},
        {"name": "SERVE_CONTROLLER_ACTOR", "state": "ALIVE"},
        {"name": None, "state": "ALIVE"},
    )
    assert wire.replicas_alive(actors) == ("SERVE_REPLICA::a#Light#r1",)
