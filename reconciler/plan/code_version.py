"""The code version of an application, by which Ray Serve decides whether to rebuild it and restart every replica.

The same hash over the same inputs as `ray.serve._private.deploy_utils.get_app_code_version` (2.60), without Ray. It
reads the text of numbers as they are written: `1` and `1.0` are two code versions, although they mean the same.
"""

import hashlib
import json
from collections.abc import Mapping

from reconciler.state.json_value import JsonValue

CODE_KEYS = frozenset({"import_path", "runtime_env", "args", "autoscaling_policy"})
"""The keys of an application's config that are code version inputs as a whole."""

CODE_OPTIONS = frozenset({"request_router_config", "deployment_actors"})
"""The options of a deployment that are."""


def code_inputs(config: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What of an application's config goes into its code version, with Ray's defaults for what is not set."""
    deployments = config.get("deployments") or []
    return {
        "import_path": config.get("import_path"),
        "runtime_env": config.get("runtime_env") or {},
        "args": config.get("args") or {},
        "autoscaling_policy": config.get("autoscaling_policy"),
        "deployment_autoscaling_policies": [
            entry["autoscaling_config"].get("policy")
            for entry in deployments
            if isinstance(entry.get("autoscaling_config"), dict)
        ],
        "request_router_configs": [
            entry["request_router_config"]
            for entry in deployments
            if isinstance(entry.get("request_router_config"), dict)
        ],
        "deployment_actors": [
            entry["deployment_actors"] for entry in deployments if isinstance(entry.get("deployment_actors"), list)
        ],
    }


def code_version(config: Mapping[str, JsonValue]) -> str:
    """The hash, in hexadecimal."""
    return hashlib.sha256(json.dumps(code_inputs(config), sort_keys=True).encode()).hexdigest()


def is_code_input(keys: tuple[str, ...]) -> bool:
    """Whether the field at these keys (`("deployments", <name>, <option>, ...)` for a deployment's) is an input."""
    if keys[0] != "deployments":
        return keys[0] in CODE_KEYS
    option, below = keys[2], keys[3:]
    if option == "autoscaling_config":
        # Of an autoscaling block only its policy is hashed, and whether the block is there at all.
        return not below or below[0] == "policy"
    return option in CODE_OPTIONS
