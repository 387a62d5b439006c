from pathlib import Path

import pytest

from reconciler.plan import rules
from reconciler.plan.change import Impact
from reconciler.plan.impact import (
    IN_PLACE_OPTIONS,
    RECONFIGURE_OPTIONS,
    RESTART_OPTIONS,
    ROLLOUT_OPTIONS,
    field_rule,
    is_proven,
    worst,
)

RESTART, RECONFIGURE, IN_PLACE = Impact.ROLLING_RESTART, Impact.RECONFIGURE, Impact.IN_PLACE


def option(*keys: str, before: object = 1, after: object = 2, code_changed: bool = False) -> Impact:
    return field_rule(("deployments", "D", *keys), before, after, code_changed=code_changed).impact


@pytest.mark.parametrize(
    ("keys", "code_changed", "impact"),
    [
        (("args", "x"), True, RESTART),
        (("args", "x"), False, IN_PLACE),
        (("import_path",), True, RESTART),
        (("route_prefix",), False, RECONFIGURE),
        (("route_prefix",), True, RECONFIGURE),
        (("logging_config", "log_level"), False, RECONFIGURE),
        (("external_scaler_enabled",), False, IN_PLACE),
        (("something_new",), False, RESTART),
    ],
)
def test_fields_of_an_application(keys: tuple[str, ...], code_changed: bool, impact: Impact) -> None:
    assert field_rule(keys, 1, 2, code_changed=code_changed).impact is impact


def test_options_of_a_deployment() -> None:
    assert option("ray_actor_options", "num_cpus") is RESTART
    assert option("placement_group_bundles") is RESTART
    assert option("user_config", "x") is RECONFIGURE
    assert option("max_ongoing_requests") is RECONFIGURE
    assert option("health_check_period_s") is IN_PLACE
    assert option("num_replicas") is IN_PLACE
    assert option("num_replicas", after="auto") is RECONFIGURE
    assert option("something_new") is RESTART


def test_parts_of_an_autoscaling_block() -> None:
    assert option("autoscaling_config", "max_replicas") is IN_PLACE
    assert option("autoscaling_config", "look_back_period_s") is RECONFIGURE
    assert option("autoscaling_config") is RECONFIGURE
    assert option("autoscaling_config", code_changed=True) is RESTART
    assert option("autoscaling_config", "policy", code_changed=True) is RESTART


def test_an_unknown_field_says_why_the_worst_is_expected() -> None:
    assert (
        "`something_new` is no option of Ray Serve 2.60"
        in field_rule(("something_new",), 1, 2, code_changed=False).reason
    )


def test_nothing_is_proven_for_another_ray() -> None:
    rule = field_rule(("deployments", "D", "user_config"), 1, 2, code_changed=False, proven=False)
    assert rule.impact is RESTART
    assert "2.60" in rule.reason
    assert is_proven("2.60.0")
    assert is_proven("2.60")
    assert not is_proven("2.6.0")
    assert not is_proven("2.61.0")


def test_the_worst_of_several() -> None:
    assert worst([IN_PLACE, RESTART, RECONFIGURE]) is RESTART
    assert worst([]) is Impact.NONE


def test_each_rule_names_the_place_where_ray_says_so() -> None:
    serve = pytest.importorskip("ray.serve")
    root = Path(serve.__file__).parents[2]
    found = [value for value in vars(rules).values() if isinstance(value, rules.Rule) and value.source]
    assert len(found) > 8
    for rule in found:
        place, name = rule.source.split(" ")
        file, line = place.split(":")
        text = (root / file).read_text().splitlines()[int(line) - 1]
        assert text.strip().startswith((f"def {name.split('.')[-1]}(", f"class {name}(")), (rule, text)
    assert rules.UNPROVEN.source == rules.unknown("x").source == ""


def test_the_tables_are_those_of_ray() -> None:
    config = pytest.importorskip("ray.serve._private.config").DeploymentConfig
    kinds = pytest.importorskip("ray.serve._private.utils").DeploymentOptionUpdateType
    schema = pytest.importorskip("ray.serve.schema").DeploymentSchema
    expected = {
        kinds.LightWeight: IN_PLACE,
        kinds.NeedsReconfigure: IN_PLACE,
        kinds.NeedsActorReconfigure: RECONFIGURE,
        kinds.HeavyWeight: RESTART,
    }
    for name in schema.model_fields.keys() - ROLLOUT_OPTIONS - {"name", "autoscaling_config"}:
        declared = config.model_fields.get(name)
        kind = declared and (declared.json_schema_extra or {}).get("update_type")
        # What is no field of DeploymentConfig belongs to the replica's actor or placement group.
        assert option(name) is (expected[kind] if kind else RESTART), name
    known = IN_PLACE_OPTIONS | RECONFIGURE_OPTIONS | RESTART_OPTIONS
    assert known - {"placement_group_fallback_strategy", "max_constructor_retry_count"} <= schema.model_fields.keys()
