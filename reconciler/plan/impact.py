"""What a changed field does to running replicas, by Ray Serve's own rules.

Three rules decide, all read from Ray 2.60: the code version of the application (`plan.code_version`), the options that
`ray.serve._private.version.DeploymentVersion.requires_actor_restart` compares, and the `update_type` of each option in
`ray.serve._private.config.DeploymentConfig`. Where no rule is known the worse is predicted.
"""

from collections.abc import Iterable

from reconciler.plan import rules
from reconciler.plan.change import Impact
from reconciler.plan.code_version import is_code_input
from reconciler.plan.rules import PROVEN_RAY, Rule
from reconciler.state.json_value import JsonValue

SURGE_OPTION = "max_surge_percent"
BATCH_OPTION = "rolling_update_percentage"
ROLLOUT_OPTIONS = frozenset({SURGE_OPTION, BATCH_OPTION})
"""Options of one rollout that the planner sets: they say how replicas are replaced, never what should run, so they are
no difference."""

RESTART_OPTIONS = frozenset(
    {
        "ray_actor_options",
        "placement_group_bundles",
        "placement_group_strategy",
        "placement_group_bundle_label_selector",
        "placement_group_fallback_strategy",
        "max_replicas_per_node",
        "gang_scheduling_config",
        "deployment_actors",
    }
)
UNNOTICED_OPTIONS = frozenset(
    {
        "placement_group_bundles",
        "placement_group_strategy",
        "placement_group_bundle_label_selector",
        "placement_group_fallback_strategy",
        "max_replicas_per_node",
    }
)
"""Options that Ray does not compare when it asks whether a deployment has changed: another value is stored, and taken
over with the next change that it notices (`DeploymentState.deploy`)."""
RECONFIGURE_OPTIONS = frozenset(
    {
        "max_ongoing_requests",
        "backpressure_config",
        "user_config",
        "graceful_shutdown_wait_loop_s",
        "request_router_config",
        "logging_config",
    }
)
IN_PLACE_OPTIONS = frozenset(
    {
        "num_replicas",
        "max_queued_requests",
        "graceful_shutdown_timeout_s",
        "health_check_period_s",
        "health_check_timeout_s",
        "max_constructor_retry_count",
    }
)
REPLICA_AUTOSCALING_KEYS = frozenset({"metrics_interval_s", "look_back_period_s"})
"""The only parts of an autoscaling block that replicas are told (`DeploymentVersion._get_serialized_options`)."""

_ORDER = {impact: rank for rank, impact in enumerate(Impact)}


def worst(impacts: Iterable[Impact]) -> Impact:
    """The one that does most to running replicas; `NONE` when there is none."""
    return max(impacts, key=_ORDER.__getitem__, default=Impact.NONE)


def is_proven(ray_version: str) -> bool:
    """Whether these rules were proven for that Ray version."""
    return ray_version == PROVEN_RAY or ray_version.startswith(f"{PROVEN_RAY}.")


def field_rule(
    keys: tuple[str, ...], before: JsonValue, after: JsonValue, *, code_changed: bool, proven: bool = True
) -> Rule:
    """The rule that says what one field that differs does.

    `keys` leads to the field, deployments by name; `code_changed` is whether the code versions of the two configs
    differ, which alone decides for its inputs.
    """
    if not proven:
        return rules.UNPROVEN
    if code_changed and is_code_input(keys):
        return rules.CODE_VERSION
    if keys[0] == "deployments":
        return _option_rule(keys[2], keys[3:], before, after)
    if is_code_input(keys):
        return rules.SAME_CODE_VERSION
    if keys[0] == "route_prefix":
        return rules.ROUTE_PREFIX
    if keys[0] == "logging_config":
        return rules.REPLICA
    if keys[0] == "external_scaler_enabled":
        return rules.EXTERNAL_SCALER
    return rules.unknown(keys[0])


def _option_rule(option: str, below: tuple[str, ...], before: JsonValue, after: JsonValue) -> Rule:
    if option in RESTART_OPTIONS:
        return rules.ACTOR
    if option == "autoscaling_config":
        return rules.REPLICA_METRICS if not below or below[0] in REPLICA_AUTOSCALING_KEYS else rules.AUTOSCALER
    if option == "num_replicas" and "auto" in (before, after):
        return rules.AUTOSCALING_BLOCK
    if option in RECONFIGURE_OPTIONS:
        return rules.REPLICA
    if option in IN_PLACE_OPTIONS:
        return rules.CONTROLLER
    return rules.unknown(option)
