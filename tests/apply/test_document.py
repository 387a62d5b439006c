from dataclasses import replace

from reconciler.apply.document import Document, differences, same_config
from reconciler.apply.errors import Differences
from reconciler.state.live import ApplicationStatus
from tests.support.states import deployed, desired, foreign, live, live_application, model, plan
from tests.support.trouble import TWO

LOGGING = {"log_level": "DEBUG"}


def test_before_a_wave_everything_is_as_the_planner_saw_it() -> None:
    report = deployed(TWO, foreign())
    wanted = desired(model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}), model("org/new"))
    (wave,) = plan(wanted, report).waves
    assert {action.kind.value for action in wave.actions} == {"create", "update", "delete"}
    assert differences(Document.before_wave(wave), report) == Differences()


def test_a_document_of_what_is_live_leaves_out_what_ray_deletes_and_what_programs_deployed() -> None:
    leaving = replace(live_application({"name": "leaving"}, status=ApplicationStatus.DELETING), application=None)
    imperative = replace(live_application({"name": "imperative"}), declarative=False, application=None)
    document = Document.of_live(live(foreign("stays"), leaving, imperative))
    assert list(document.configs) == ["stays"]
    assert document.body["proxy_location"] == "EveryNode"


def test_differences_are_named_by_kind() -> None:
    expected = Document({"target_capacity": 50}, {name: {"name": name} for name in ("a", "b", "c")})
    report = live(
        live_application({"name": "a", "route_prefix": "/a"}),
        live_application({"name": "c"}, status=ApplicationStatus.DELETING),
        live_application({"name": "d"}),
        replace(live_application({"name": "b"}), application=None),
    )
    found = differences(expected, report)
    assert found == Differences(("a", "b"), ("d",), ("c",), ("target_capacity",))
    assert str(found) == (
        "changed: `a`, `b`; appeared: `d`; vanished: `c`; cluster-wide option changed: `target_capacity`"
    )
    assert found and not Differences()


def test_a_logging_config_that_ray_copied_in_is_no_difference() -> None:
    sent = {"name": "a"}
    assert same_config(sent, {**sent, "logging_config": LOGGING}, LOGGING)
    assert not same_config(sent, {**sent, "logging_config": {"log_level": "INFO"}}, LOGGING)
    assert not same_config(sent, {**sent, "logging_config": LOGGING}, None)
    assert same_config({**sent, "logging_config": LOGGING}, {**sent, "logging_config": LOGGING}, LOGGING)
    assert not same_config(sent, None, None)


def test_numbers_have_one_meaning() -> None:
    assert same_config({"num_gpus": 1}, {"num_gpus": 1.0}, None)


def test_a_route_is_dropped_and_nothing_else() -> None:
    document = Document.of_live(deployed(TWO))
    dropped = document.without_route("org/coder")
    assert list(dropped.routes) == ["org/chat"]
    assert dropped.with_gateway_value("models", document.routes) == document
    assert document.without_route("org/unknown") is document
    assert Document({}, {}).routes == {}


def test_other_deployments_of_a_gateway_are_left_alone() -> None:
    config = {"name": "gateway", "deployments": [{"name": "Gateway"}, {"name": "Other"}]}
    changed = Document({}, {"gateway": config}).with_gateway_value("models", {})
    assert changed.configs["gateway"]["deployments"] == [
        {"name": "Gateway", "user_config": {"models": {}}},
        {"name": "Other"},
    ]
