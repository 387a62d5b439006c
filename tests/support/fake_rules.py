"""Ray Serve's rules for what a config means, on plain data, written independently of the product's own.

Where they come from in Ray 2.60: `ray/serve/_private/deploy_utils.py` (code version), `ray/serve/_private/version.py`
(what restarts), `ray/serve/_private/application_state.py` (overrides), `ray/serve/schema.py` (defaults, validation).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DEFAULTS: dict[str, Any] = {
    "num_replicas": 1,
    "max_ongoing_requests": 5,
    "max_queued_requests": -1,
    "user_config": None,
    "graceful_shutdown_wait_loop_s": 2.0,
    "graceful_shutdown_timeout_s": 20.0,
    "health_check_period_s": 10.0,
    "health_check_timeout_s": 30.0,
    "ray_actor_options": {"num_cpus": 1.0},
    "max_surge_percent": 0,
    "rolling_update_percentage": 0.2,
    "max_constructor_retry_count": 20,
}
LIGHT_MODULE = "light_app"
"""The light application knows nothing of models, whatever its `args` hold."""
CODE_OPTIONS: dict[str, dict[str, Any]] = {
    "Light": {"ray_actor_options": {"num_cpus": 0.0}, "graceful_shutdown_wait_loop_s": 0.1}
}
"""What the decorator of a deployment sets, where it differs from Ray's defaults."""
AUTOSCALING_DEFAULTS: dict[str, Any] = {"min_replicas": 1, "max_replicas": 1, "target_ongoing_requests": 2.0}
RESTARTING_OPTIONS = (
    "placement_group_bundles",
    "placement_group_strategy",
    "placement_group_bundle_label_selector",
    "placement_group_fallback_strategy",
    "max_replicas_per_node",
    "gang_scheduling_config",
)
UNNOTICED_OPTIONS = frozenset(RESTARTING_OPTIONS) - {"gang_scheduling_config"}
"""Options that are no reason for Ray to look at a deployment again."""
LIGHT_OPTIONS = frozenset({"num_replicas", "max_queued_requests", "rolling_update_percentage", "max_surge_percent"})
"""Options that leave the version as it is (`DeploymentOptionUpdateType.LightWeight`)."""
APPLICATION_KEYS = frozenset(
    {
        "name",
        "route_prefix",
        "import_path",
        "runtime_env",
        "args",
        "deployments",
        "logging_config",
        "autoscaling_policy",
        "external_scaler_enabled",
    }
)


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """An application's config as Ray stores it: unknown keys dropped, resource amounts as floats."""
    stored = json.loads(json.dumps({key: value for key, value in config.items() if key in APPLICATION_KEYS}))
    for deployment in stored.get("deployments") or []:
        options = deployment.get("ray_actor_options")
        if options:
            for key in ("num_cpus", "num_gpus"):
                if key in options:
                    options[key] = float(options[key])
    return dict(stored)


def refusal(document: Mapping[str, Any]) -> str | None:
    """Why a PUT of the document is answered 400, or None."""
    applications = document.get("applications")
    if not isinstance(applications, list):
        return "1 validation error for ServeDeploySchema: applications: Field required"
    names = [application.get("name", "") for application in applications]
    if len(set(names)) != len(names):
        return "Found multiple configs for an application. Please remove all duplicates."
    routes = [route for application in applications if (route := application.get("route_prefix", "/")) is not None]
    if len(set(routes)) != len(routes):
        return "Found duplicate applications for a route prefix"
    for application in applications:
        wrong = is_stored_all_the_same(application)
        if wrong:
            return f"runtime_env['env_vars'] must be of type Dict[str, str], got {wrong[0]!r}"
    return None


def is_stored_all_the_same(application: Mapping[str, Any]) -> list[Any]:
    """The values of environment variables that are no text: a config with such is refused, but only after it was
    stored."""
    variables = application.get("runtime_env", {}).get("env_vars", {})
    return [value for value in variables.values() if not isinstance(value, str)]


def code_version(config: Mapping[str, Any]) -> str:
    """The hash that decides whether an application is built anew."""
    deployments = config.get("deployments") or []
    encoded = json.dumps(
        {
            "import_path": config.get("import_path"),
            "runtime_env": config.get("runtime_env", {}),
            "args": config.get("args", {}),
            "autoscaling_policy": config.get("autoscaling_policy"),
            "deployment_autoscaling_policies": [
                deployment["autoscaling_config"].get("policy")
                for deployment in deployments
                if isinstance(deployment.get("autoscaling_config"), dict)
            ],
            "request_router_configs": [
                deployment["request_router_config"]
                for deployment in deployments
                if isinstance(deployment.get("request_router_config"), dict)
            ],
            "deployment_actors": [
                deployment["deployment_actors"]
                for deployment in deployments
                if isinstance(deployment.get("deployment_actors"), list)
            ],
        },
        sort_keys=True,
    )
    return hashlib.sha256(encoded.encode()).hexdigest()


def code_deployments(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The deployments that the application's code would bind, with their effective options."""
    overrides = {entry["name"]: entry for entry in config.get("deployments") or []}
    return {name: effective_options(config, name, overrides.get(name, {})) for name in _names(config, overrides)}


def effective_options(config: Mapping[str, Any], name: str, override: Mapping[str, Any]) -> dict[str, Any]:
    """Code defaults with the overrides on top, as GET shows them."""
    options = {**DEFAULTS, **CODE_OPTIONS.get(name, {}), "name": name, **override}
    options["ray_actor_options"] = {
        **options["ray_actor_options"],
        "runtime_env": {**config.get("runtime_env", {}), **options["ray_actor_options"].get("runtime_env", {})},
    }
    if name == "Light":
        options["max_constructor_retry_count"] = (config.get("args") or {}).get("retries", 1)
    if isinstance(options.get("autoscaling_config"), dict):
        options["num_replicas"] = None
        options["autoscaling_config"] = {**AUTOSCALING_DEFAULTS, **options["autoscaling_config"]}
    return options


def restart_key(version: str, options: Mapping[str, Any]) -> str:
    """Replicas whose key differs from their deployment's are replaced."""
    return json.dumps(
        [version, options["ray_actor_options"], *[options.get(option) for option in RESTARTING_OPTIONS]], sort_keys=True
    )


def code_of(key: str) -> str:
    """The code version in the key of a replica."""
    return str(json.loads(key)[0])


def is_noticed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether Ray takes other options over where the code is the same."""
    different = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return not different <= UNNOTICED_OPTIONS or before.keys() != after.keys()


def deployment_version(key: str, options: Mapping[str, Any]) -> str:
    """What two deployments share that Ray takes for the same version: all but what only the controller looks at."""
    scaling = options.get("autoscaling_config") or {}
    told = {name: scaling.get(name) for name in ("metrics_interval_s", "look_back_period_s")}
    light = {*LIGHT_OPTIONS, "autoscaling_config"}
    return json.dumps(
        [key, told, {name: value for name, value in options.items() if name not in light}], sort_keys=True
    )


def bundles(config: Mapping[str, Any], options: Mapping[str, Any]) -> list[dict[str, float]]:
    """What one replica takes from the nodes."""
    args = config.get("args") or {}
    is_light = str(config.get("import_path", "")).startswith(f"{LIGHT_MODULE}:")
    placement = {} if is_light else (args.get("llm_config") or {}).get("placement_group_config") or {}
    found = placement.get("bundles") or options.get("placement_group_bundles")
    if found:
        return [{name: float(amount) for name, amount in bundle.items()} for bundle in found]
    actor = options["ray_actor_options"]
    num_cpus = args.get("num_cpus", actor.get("num_cpus", 1.0))
    amounts = {"CPU": num_cpus, "GPU": actor.get("num_gpus", 0.0), **actor.get("resources", {})}
    return [{name: float(amount) for name, amount in amounts.items() if amount}]


def _names(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> list[str]:
    args = config.get("args") or {}
    module = str(config.get("import_path", "")).partition(":")[0]
    if "llm_config" in args and module != LIGHT_MODULE:
        model_id = args["llm_config"]["model_loading_config"]["model_id"]
        return ["LLMServer:" + model_id.replace("/", "--").replace(".", "_")]
    path = str(config.get("import_path", ""))
    known = {"runtime.gateway": ["Gateway"], LIGHT_MODULE: ["Light"]}
    return (["Gateway"] if path == f"{LIGHT_MODULE}:gateway" else known.get(module)) or list(overrides) or ["Default"]
