"""What a changed field does to running replicas, by Ray Serve's own rules.

Three rules decide, all read from Ray 2.60: the code version of the application (`plan.code_version`), the options that
`ray.serve._private.version.DeploymentVersion.requires_actor_restart` compares, and the `update_type` of each option in
`ray.serve._private.config.DeploymentConfig`. Where no rule is known the worse is predicted.
"""

from collections.abc import Iterable

from reconciler.plan.change import Impact
from reconciler.plan.code_version import is_code_input
from reconciler.state.json_value import JsonValue

PROVEN_RAY = "2.60"
"""The Ray version, major and minor, whose rules these are."""

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


def field_impact(
    keys: tuple[str, ...], before: JsonValue, after: JsonValue, *, code_changed: bool, proven: bool = True
) -> tuple[Impact, str]:
    """The impact of one field that differs, and the reason.

    `keys` leads to the field, deployments by name; `code_changed` is whether the code versions of the two configs
    differ, which alone decides for its inputs.
    """
    if not proven:
        return Impact.ROLLING_RESTART, f"the rules are proven for Ray {PROVEN_RAY} only, so the worst is expected"
    if code_changed and is_code_input(keys):
        return Impact.ROLLING_RESTART, "part of the application's code version"
    if keys[0] == "deployments":
        return _option_impact(keys[2], keys[3:], before, after)
    if is_code_input(keys):
        return Impact.IN_PLACE, "leaves the code version as it is"
    if keys[0] in ("route_prefix", "logging_config"):
        return Impact.RECONFIGURE, "handed to the running replicas"
    if keys[0] == "external_scaler_enabled":
        return Impact.IN_PLACE, "only the controller uses it"
    return _unknown(keys[0])


def _option_impact(option: str, below: tuple[str, ...], before: JsonValue, after: JsonValue) -> tuple[Impact, str]:
    if option in RESTART_OPTIONS:
        return Impact.ROLLING_RESTART, "decides how replica actors are placed and started"
    if option == "autoscaling_config":
        if not below or below[0] in REPLICA_AUTOSCALING_KEYS:
            return Impact.RECONFIGURE, "handed to the running replicas"
        return Impact.IN_PLACE, "only the autoscaler uses it"
    if option == "num_replicas" and "auto" in (before, after):
        return Impact.RECONFIGURE, "brings or takes an autoscaling block, which the running replicas are told"
    if option in RECONFIGURE_OPTIONS:
        return Impact.RECONFIGURE, "handed to the running replicas"
    if option in IN_PLACE_OPTIONS:
        return Impact.IN_PLACE, "only the controller uses it"
    return _unknown(option)


def _unknown(key: str) -> tuple[Impact, str]:
    return Impact.ROLLING_RESTART, f"`{key}` is no option of Ray Serve {PROVEN_RAY}, so the worst is expected"
