from typing import Any

import pytest
from hypothesis import given

from reconciler.plan.change import HIDDEN, Change, Impact
from reconciler.plan.code_version import code_version
from reconciler.plan.diff import diff, hide, path_text
from reconciler.state.application import Application
from tests.support.states import desired, model
from tests.support.strategies import configs


def app(name: str = "app", **config: Any) -> Application:
    return Application({"name": name, "import_path": "m:b", **config})


def with_options(**options: Any) -> Application:
    return app(deployments=[{"name": "D", **options}])


def paths(change: Change) -> list[str]:
    return [field.path for field in change.fields]


def test_a_new_and_a_gone_application_have_no_fields() -> None:
    assert diff(None, app()) == Change("app", None, app(), (), Impact.CREATE)
    assert diff(app(), None).impact is Impact.DELETE
    with pytest.raises(ValueError, match="at least one side"):
        diff(None, None)


def test_a_changed_engine_argument_restarts_and_is_named() -> None:
    before, after = (
        desired(model(engine={"engine_kwargs": {"max_num_seqs": value}})).applications[1].application
        for value in (1, 2)
    )
    change = diff(before, after)
    assert change.impact is Impact.ROLLING_RESTART
    (field,) = change.fields
    assert (field.path, field.before, field.after) == ("args.llm_config.engine_kwargs.max_num_seqs", 1, 2)
    assert (field.before_set, field.after_set) == (True, True)


def test_a_scaling_edit_is_in_place() -> None:
    before, after = (
        desired(model(deployment={"autoscaling_config": {"max_replicas": value}})).applications[1].application
        for value in (1, 2)
    )
    change = diff(before, after)
    assert paths(change) == ["deployments[LLMServer:org--chat].autoscaling_config.max_replicas"]
    assert change.impact is Impact.IN_PLACE


def test_a_default_of_the_gateway_is_reconfigured_and_found_by_name() -> None:
    before, after = (
        desired(model(engine={"generation": {"generate_kwargs": kwargs}})).applications[0].application
        for kwargs in ({}, {"temperature": 0.5})
    )
    change = diff(before, after)
    assert paths(change) == ['deployments[Gateway].user_config.models["org/chat"].defaults.temperature']
    assert change.impact is Impact.RECONFIGURE
    assert not change.fields[0].before_set


def test_numbers_that_mean_the_same_are_no_difference_although_ray_hashes_them_differently() -> None:
    before, after = app(args={"n": 1}), app(args={"n": 1.0})
    assert code_version(before.config) != code_version(after.config)
    assert diff(before, after).fields == ()


def test_once_something_else_differs_the_spelling_of_numbers_restarts() -> None:
    before = app(args={"n": 1}, deployments=[{"name": "D", "user_config": {"x": 1}}])
    after = app(args={"n": 1.0}, deployments=[{"name": "D", "user_config": {"x": 2}}])
    change = diff(before, after)
    assert paths(change) == ["deployments[D].user_config.x", "args.n"]
    assert change.impact is Impact.ROLLING_RESTART


def test_once_something_else_differs_the_order_of_policies_restarts() -> None:
    one = {"name": "One", "autoscaling_config": {"policy": {"policy_function": "m:f"}}}
    two = {"name": "Two", "autoscaling_config": {}}
    assert diff(app(deployments=[one, two]), app(deployments=[two, one])).fields == ()
    change = diff(app(deployments=[one, two]), app(deployments=[two, one], route_prefix="/x"))
    assert paths(change) == ["route_prefix", "deployments"]
    assert change.impact is Impact.ROLLING_RESTART


def test_not_set_and_null_are_the_same() -> None:
    assert diff(app(route_prefix=None), app()).fields == ()


def test_not_set_and_rays_default_are_a_difference() -> None:
    change = diff(with_options(), with_options(max_queued_requests=-1))
    assert paths(change) == ["deployments[D].max_queued_requests"]


def test_options_of_one_rollout_are_no_difference() -> None:
    assert diff(with_options(max_surge_percent=100, rolling_update_percentage=1.0), with_options()).fields == ()


def test_the_record_of_the_last_apply_is_no_difference_in_the_gateway_only() -> None:
    def named(name: str, deployment: str, provenance: str | None) -> Application:
        user_config = {"models": {}, **({"provenance": {"who": provenance}} if provenance else {})}
        return app(name, deployments=[{"name": deployment, "user_config": user_config}])

    assert diff(named("gateway", "Gateway", "a"), named("gateway", "Gateway", None)).fields == ()
    assert diff(named("other", "Gateway", "a"), named("other", "Gateway", None)).fields != ()
    assert diff(named("gateway", "Other", "a"), named("gateway", "Other", None)).fields != ()


def test_a_logging_config_that_ray_copied_in_is_no_difference() -> None:
    shared = {"log_level": "DEBUG"}
    assert diff(app(logging_config=shared), app(), global_logging_config=shared).fields == ()
    assert paths(diff(app(logging_config=shared), app())) == ["logging_config"]
    assert paths(diff(app(logging_config={"log_level": "INFO"}), app(), global_logging_config=shared)) == [
        "logging_config"
    ]


def test_a_new_deployment_shows_each_option_with_its_own_impact() -> None:
    change = diff(app(deployments=[]), with_options(user_config={"a": 1}, max_queued_requests=3))
    assert [(field.path, field.impact) for field in change.fields] == [
        ("deployments[D].max_queued_requests", Impact.IN_PLACE),
        ("deployments[D].user_config", Impact.RECONFIGURE),
    ]


def test_a_new_autoscaling_block_is_one_field_that_restarts() -> None:
    change = diff(with_options(), with_options(autoscaling_config={"min_replicas": 1}))
    assert paths(change) == ["deployments[D].autoscaling_config"]
    assert change.impact is Impact.ROLLING_RESTART


def test_values_of_environment_variables_are_hidden_and_their_names_shown() -> None:
    before = app(runtime_env={"env_vars": {"TOKEN": "s3cret", "GONE": "s3cret"}})
    after = app(runtime_env={"env_vars": {"TOKEN": "0ther"}})
    change = diff(before, after)
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("runtime_env.env_vars.GONE", HIDDEN, None),
        ("runtime_env.env_vars.TOKEN", HIDDEN, HIDDEN),
    ]
    assert paths(diff(app(runtime_env={}), after)) == ["runtime_env.env_vars.TOKEN"]


def test_environment_variables_inside_a_value_are_hidden_too() -> None:
    change = diff(app(), app(runtime_env={"env_vars": {"TOKEN": "s3cret"}}, args={"list": [{"env_vars": "s3cret"}]}))
    assert "s3cret" not in repr(change.fields)
    assert hide({"env_vars": ["x"], "other": 1}) == {"env_vars": HIDDEN, "other": 1}


def test_another_ray_expects_the_worst_of_every_field() -> None:
    change = diff(with_options(user_config={"x": 1}), with_options(user_config={"x": 2}), ray_version="2.61.0")
    assert change.impact is Impact.ROLLING_RESTART


GROUP = {"placement_group_bundles": [{"CPU": 1}], "max_replicas_per_node": 2}
OTHER_GROUP = {"placement_group_bundles": [{"CPU": 2}], "max_replicas_per_node": 3}


def test_other_values_that_ray_does_not_compare_do_nothing_by_themselves() -> None:
    change = diff(with_options(**GROUP), with_options(**OTHER_GROUP))
    assert len(change.fields) == 2
    assert {field.impact for field in change.fields} == {Impact.NONE}
    assert change.impact is Impact.NONE


@pytest.mark.parametrize(
    "noticed",
    [
        with_options(**OTHER_GROUP, max_ongoing_requests=9),
        with_options(max_replicas_per_node=3),
        app(deployments=[{"name": "D", **OTHER_GROUP}], route_prefix="/other"),
    ],
    ids=["another option", "one that goes", "something of the application"],
)
def test_beside_what_ray_notices_they_restart(noticed: Application) -> None:
    assert diff(with_options(**GROUP), noticed).impact is Impact.ROLLING_RESTART


def test_what_ray_notices_of_one_deployment_is_no_news_of_another() -> None:
    before = app(deployments=[{"name": "D", **GROUP}, {"name": "E", "max_ongoing_requests": 1}])
    after = app(deployments=[{"name": "D", **OTHER_GROUP}, {"name": "E", "max_ongoing_requests": 2}])
    assert diff(before, after).impact is Impact.RECONFIGURE


def test_of_another_ray_the_worst_is_expected_of_them_too() -> None:
    change = diff(with_options(**GROUP), with_options(**OTHER_GROUP), ray_version="2.61.0")
    assert change.impact is Impact.ROLLING_RESTART


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("args", "llm_config", "x-y"), "args.llm_config.x-y"),
        (("args", "a.b", "c"), 'args["a.b"].c'),
        (("a b",), '["a b"]'),
        (("deployments", "LLMServer:org--chat", "user_config"), "deployments[LLMServer:org--chat].user_config"),
        (("deployments", 'odd"]', "user_config"), 'deployments["odd\\"]"].user_config'),
    ],
)
def test_paths_are_never_ambiguous(keys: tuple[str, ...], text: str) -> None:
    assert path_text(keys) == text


@given(configs())
def test_a_config_does_not_differ_from_itself(config: dict[str, Any]) -> None:
    assert diff(Application(config), Application(config)).fields == ()


@given(configs(), configs())
def test_restarts_by_code_follow_the_hash(before: dict[str, Any], after: dict[str, Any]) -> None:
    change = diff(Application(before), Application(after))
    by_code = [field for field in change.fields if "code version" in field.reason]
    restarted = [field for field in by_code if field.impact is Impact.ROLLING_RESTART]
    differs = bool(change.fields) and code_version(before) != code_version(after)
    assert bool(restarted) == differs
    assert "s3cret" not in repr(change.fields)
    assert "t0ken" not in repr(change.fields)


@given(configs(), configs())
def test_a_difference_has_two_sides(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = (
        {field.path: (field.before, field.after) for field in diff(Application(one), Application(other)).fields}
        for one, other in ((before, after), (after, before))
    )
    assert there == {path: (right, left) for path, (left, right) in back.items()}
