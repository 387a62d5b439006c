"""Every kind of change that Ray Serve's REST API can carry, and what it does to running replicas.

A kind changes one option, or several with the same effect; `singles` takes it apart into changes of one field each.
What there is to change is read from Ray's own schemas (`schemas/ray-2.60.0.json`), so that an option of a later version
has no case until somebody writes one.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.plan.change import Change, Impact
from reconciler.plan.diff import diff
from reconciler.registry.generated import schemas_folder
from reconciler.registry.tables import RAY_FILE
from reconciler.state.application import Application
from tests.support.light import SCALING, light_config
from tests.support.states import desired, model

IN_PLACE, RECONFIGURE, RESTART = Impact.IN_PLACE, Impact.RECONFIGURE, Impact.ROLLING_RESTART


@dataclass(frozen=True)
class Kind:
    """One kind of change: the parts of the application before, what differs after, and what happens to its replicas."""

    impact: Impact
    after: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)
    is_mixed: bool = False
    """Whether only some of its fields have that impact, the greatest of all."""
    is_whole: bool = False
    """Whether its fields mean nothing one without the other."""

    def configs(self, name: str) -> tuple[Any, Any]:
        """The application's config on both sides."""
        return light_config(name, **_parts(self.before)), light_config(name, **_parts({**self.before, **self.after}))

    def change(self, name: str) -> Change:
        """What the planner makes of it."""
        before, after = self.configs(name)
        return diff(Application(before), Application(after))


def _parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(dict(parts))


def option(impact: Impact, before: Mapping[str, Any] | None = None, /, **values: Any) -> Kind:
    """A change of deployment options; those that stay are in `before` alone."""
    return Kind(impact, {"options": {**(before or {}), **values}}, {"options": before or {}})


def scaling(impact: Impact, before: Mapping[str, Any] | None = None, /, **values: Any) -> Kind:
    """A change inside an autoscaling block that is there already."""
    old = {**SCALING, **(before or {})}
    return option(impact, {"autoscaling_config": old}, autoscaling_config={**old, **values})


def _llm_args() -> dict[str, Any]:
    """What the compiler writes into `args`, for a model that uses all of it."""
    entry = model(
        "org/chat",
        engine={
            "hf_model_id": "org/weights",
            "tokenizer_id": "org/tokenizer",
            "max_total_tokens": 512,
            "engine_kwargs": {"max_num_seqs": 4, "enforce_eager": True, "pipeline_parallel_size": 1},
            "generation": {
                "prompt_format": {
                    "system": "{instruction}",
                    "assistant": "{instruction}",
                    "trailing_assistant": "",
                    "user": "{instruction}",
                }
            },
        },
    )
    application = desired(entry).application("org--chat")
    assert application is not None
    return dict(application.application.config["args"])


def _changed(value: Any) -> Any:
    """The same with every leaf changed."""
    if isinstance(value, dict):
        return {key: _changed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item) for item in value]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}-changed"


ROUTER = "ray.serve._private.request_router:PowerOfTwoChoicesRequestRouter"
OTHER_ROUTER = "ray.serve.experimental.round_robin_router:RoundRobinRouter"
POLICY = "ray.serve.autoscaling_policy:default_autoscaling_policy"
OTHER_POLICY = "ray.serve.autoscaling_policy:replica_queue_length_autoscaling_policy"
"""Ray's dashboard imports routers and the policies of deployments, so an application cannot bring its own."""
KEEPER = {"name": "keeper", "actor_class": "light_app:Keeper", "actor_options": {"num_cpus": 0}}
ANYWHERE = {"ray.io/accelerator-type": "!H100"}
"""A label selector that every node of the test cluster fits."""
LOGGING = {
    "encoding": "TEXT",
    "log_level": "INFO",
    "logs_dir": "/tmp/ray-impact-a",
    "enable_access_log": True,
    "additional_log_standard_attrs": ["name"],
}
OTHER_LOGGING = {
    "encoding": "JSON",
    "log_level": "WARNING",
    "logs_dir": "/tmp/ray-impact-b",
    "enable_access_log": False,
    "additional_log_standard_attrs": ["name", "module"],
}
NUMBER = {"autoscaling_config": None, "num_replicas": 1}
"""A fixed number of replicas, without an autoscaling block."""
GROUP = {
    "placement_group_bundles": [{"CPU": 0.01}, {"CPU": 0.01}],
    "placement_group_strategy": "PACK",
    "placement_group_bundle_label_selector": [ANYWHERE, ANYWHERE],
}
OTHER_GROUP = {
    "placement_group_bundles": [{"CPU": 0.02}, {"CPU": 0.01}],
    "placement_group_strategy": "SPREAD",
    "placement_group_bundle_label_selector": [ANYWHERE, {"ray.io/accelerator-type": "!H200"}],
}
GANG = {"autoscaling_config": None, "num_replicas": 2, "ray_actor_options": {"num_cpus": 0.01}}
"""The bundles of a gang are what its replicas ask for, and Ray makes no empty one."""

KINDS = {
    "nothing": Kind(Impact.NONE, {}),
    "of-one-rollout": option(Impact.NONE, max_surge_percent=50, rolling_update_percentage=0.5),
    "limits": option(
        IN_PLACE,
        max_queued_requests=9,
        health_check_period_s=7,
        health_check_timeout_s=40,
        graceful_shutdown_timeout_s=11,
    ),
    "number": option(IN_PLACE, NUMBER, num_replicas=2),
    "number-given": option(IN_PLACE, {"autoscaling_config": None}, num_replicas=2),
    "number-auto": option(RECONFIGURE, NUMBER, num_replicas="auto"),
    "requests": option(RECONFIGURE, max_ongoing_requests=9, graceful_shutdown_wait_loop_s=1),
    "backpressure-added": option(RECONFIGURE, backpressure_config={"status_code": 429}),
    "backpressure": option(
        RECONFIGURE,
        {"backpressure_config": {"status_code": 503, "retry_after_s": 1.5}},
        backpressure_config={"status_code": 429, "retry_after_s": 2.5},
    ),
    "user-config": option(RECONFIGURE, {"user_config": {"a": 1}}, user_config={"a": 2, "b": {"c": 3}}),
    "user-config-added": option(RECONFIGURE, user_config={"a": 1}),
    "logging-added": option(RECONFIGURE, logging_config={"log_level": "DEBUG"}),
    "logging": option(RECONFIGURE, {"logging_config": LOGGING}, logging_config=OTHER_LOGGING),
    "application-logging": Kind(RECONFIGURE, {"logging_config": OTHER_LOGGING}, {"logging_config": LOGGING}),
    "application-logging-added": Kind(RECONFIGURE, {"logging_config": {"log_level": "DEBUG"}}),
    "route-prefix": Kind(RECONFIGURE, {"route_prefix": "/after"}, {"route_prefix": "/before"}),
    "route-prefix-added": Kind(RECONFIGURE, {"route_prefix": "/added"}),
    "external-scaler": Kind(IN_PLACE, {"external_scaler_enabled": True}, {"options": NUMBER}),
    "scaling": scaling(
        IN_PLACE,
        min_replicas=0,
        initial_replicas=1,
        max_replicas=2,
        target_ongoing_requests=3,
        smoothing_factor=0.9,
        upscale_smoothing_factor=0.9,
        downscale_smoothing_factor=0.9,
        upscaling_factor=0.8,
        downscaling_factor=0.8,
        upscale_delay_s=40,
        downscale_delay_s=700,
        downscale_to_zero_delay_s=900,
        aggregation_function="max",
    ),
    "scaling-minimum": scaling(IN_PLACE, {"max_replicas": 2}, min_replicas=2),
    "scaling-told": scaling(RECONFIGURE, metrics_interval_s=9, look_back_period_s=25),
    "scaling-added": Kind(RESTART, {"options": {}}, {"options": {"autoscaling_config": None}}),
    "scaling-removed": option(RESTART, autoscaling_config=None),
    "scaling-policy-added": scaling(RESTART, policy={"policy_function": POLICY}),
    "scaling-policy": scaling(
        RESTART,
        {"policy": {"policy_function": POLICY, "policy_kwargs": {"a": 1}}},
        policy={"policy_function": OTHER_POLICY, "policy_kwargs": {"a": 2}},
    ),
    "application-policy": Kind(RESTART, {"autoscaling_policy": {"policy_function": "light_app:application_policy"}}),
    "args": Kind(RESTART, {"args": {"text": "changed"}}),
    "llm-args": Kind(RESTART, {"args": _changed(_llm_args())}, {"args": _llm_args()}),
    "environment": Kind(RESTART, {"env": {"A": "2"}}, {"env": {"A": "1"}}),
    "environment-added": Kind(RESTART, {"env": {"A": "2"}}),
    "import-path": Kind(RESTART, {"import_path": "light_app:rebuild"}),
    "request-router-added": option(RESTART, request_router_config={"request_router_class": ROUTER}),
    "request-router": option(
        RESTART,
        {
            "request_router_config": {
                "request_router_class": ROUTER,
                "request_router_kwargs": {},
                "request_routing_stats_period_s": 10,
                "request_routing_stats_timeout_s": 30,
                "initial_backoff_s": 0.02,
                "backoff_multiplier": 2,
                "max_backoff_s": 0.5,
            }
        },
        request_router_config={
            "request_router_class": OTHER_ROUTER,
            "request_router_kwargs": {"a": 1},
            "request_routing_stats_period_s": 11,
            "request_routing_stats_timeout_s": 31,
            "initial_backoff_s": 0.03,
            "backoff_multiplier": 3,
            "max_backoff_s": 0.6,
        },
    ),
    "deployment-actors-added": option(RESTART, deployment_actors=[KEEPER]),
    "deployment-actors": option(
        RESTART, {"deployment_actors": [KEEPER]}, deployment_actors=[{**KEEPER, "init_kwargs": {"a": 1}}]
    ),
    "actor-options-added": option(RESTART, ray_actor_options={"num_cpus": 0.01}),
    "actor-options": option(
        RESTART,
        {
            "ray_actor_options": {
                "num_cpus": 0.01,
                "memory": 1_000_000,
                "resources": {"node:__internal_head__": 0.001},
                "label_selector": ANYWHERE,
                "fallback_strategy": [{"label_selector": ANYWHERE}],
                "runtime_env": {"env_vars": {"A": "1"}},
                "accelerator_type": None,
            }
        },
        ray_actor_options={
            "num_cpus": 0.02,
            "num_gpus": 0,
            "memory": 2_000_000,
            "resources": {"node:__internal_head__": 0.002},
            "label_selector": {"ray.io/accelerator-type": "!H200"},
            "fallback_strategy": [{"label_selector": {"ray.io/accelerator-type": "!H200"}}],
            "runtime_env": {"env_vars": {"A": "2"}},
            "accelerator_type": "T4",
        },
    ),
    "placement-group-added": option(RESTART, placement_group_bundles=[{"CPU": 0.01}]),
    "placement-group-removed": Kind(RESTART, {"options": {}}, {"options": GROUP}, is_whole=True),
    "placement-group": option(Impact.NONE, GROUP, **OTHER_GROUP),
    "placement-group-noticed": Kind(
        RESTART, {"options": {**OTHER_GROUP, "max_queued_requests": 9}}, {"options": GROUP}, is_mixed=True
    ),
    "replicas-per-node-added": option(RESTART, max_replicas_per_node=4),
    "replicas-per-node": option(Impact.NONE, {"max_replicas_per_node": 4}, max_replicas_per_node=5),
    "gang-removed": Kind(RESTART, {"options": GANG}, {"options": {**GANG, "gang_scheduling_config": {"gang_size": 2}}}),
    "gang": option(
        RESTART,
        {**GANG, "gang_scheduling_config": {"gang_size": 1, "gang_placement_strategy": "PACK"}},
        gang_scheduling_config={"gang_size": 2, "gang_placement_strategy": "SPREAD"},
    ),
}
"""No kind brings a gang to replicas that are in none: on these the controller of 2.60 fails
(`DeploymentState.migrate_replicas_on_draining_nodes`), and with it all that it does for other deployments. None makes
gangs smaller: where a batch of the new size is less than one old gang, 2.60 waits for ever."""

UNCHANGEABLE = {
    "name": "another name is another application",
    "host": "Ray refuses it beside others",
    "port": "Ray refuses it beside others",
    "deployments.name": "another name is another deployment",
    "deployments.gang_scheduling_config.runtime_failure_policy": "Ray 2.60 implements one value of it",
}
"""What has no case, and why."""


def singles() -> dict[str, Kind]:
    """Every kind that changes several fields, taken apart: one field each."""
    found = {}
    for name, kind in KINDS.items():
        ways = list(_differences((), kind.before, {**kind.before, **kind.after}))
        if len(ways) > 1 and kind.change(name).fields and not (kind.is_mixed or kind.is_whole):
            for number, way in enumerate(ways):
                # Ray names a log file after the application.
                found[re.sub("[^a-z0-9]+", "-", f"{name}-{number}-{way[-1]}")] = _one(kind, way)
    return found


def _differences(way: tuple[str, ...], before: Any, after: Any) -> Iterator[tuple[str, ...]]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences((*way, key), old, new)
        elif old != new:
            yield (*way, key)


def _one(kind: Kind, way: tuple[str, ...]) -> Kind:
    after, source = _parts(kind.before), _parts({**kind.before, **kind.after})
    place: Any = after
    for key in way[:-1]:
        place, source = place.setdefault(key, {}), source[key]
    place[way[-1]] = source[way[-1]]
    return Kind(kind.impact, after, kind.before)


def changed_options() -> set[str]:
    """Every option that some kind changes, as Ray's table names it."""
    return {
        re.sub(r"deployments\[[^]]*\]", "deployments", change.path)
        for name, kind in KINDS.items()
        for change in kind.change(name).fields
    }


def changeable() -> set[str]:
    """Every option that Ray's table has."""
    table = json.loads((schemas_folder() / RAY_FILE).read_text())["config_options"]
    return {f"{way}.{key}".lstrip(".") for way, keys in table.items() for key in keys}
