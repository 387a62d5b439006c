"""What the pinned Ray Serve does with a change of each option, and the words it uses."""

import ast
import enum
import inspect
import json
import textwrap
from typing import Any

import ray
from pydantic.fields import FieldInfo
from ray.serve._private.config import DeploymentConfig
from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve._private.utils import DeploymentOptionUpdateType
from ray.serve._private.version import DeploymentVersion
from ray.serve.config import AutoscalingConfig, BackpressureConfig, GangSchedulingConfig, RequestRouterConfig
from ray.serve.schema import (
    ApplicationStatus,
    DeploymentSchema,
    LoggingConfig,
    RayActorOptionsSchema,
    ServeApplicationSchema,
)
from ray.util.accelerators import accelerators

from reconciler.registry.tables import RAY_VERSION


def render() -> str:
    """The text of the table."""
    if ray.__version__ != RAY_VERSION:
        raise SystemExit(f"error: Ray {RAY_VERSION} is needed, {ray.__version__} is installed")
    document = {
        "ray": RAY_VERSION,
        "deployment_options": deployment_options(),
        "autoscaling_options": {name: _option(field) for name, field in AutoscalingConfig.model_fields.items()},
        "config_options": config_options(),
        "code_version_inputs": code_version_inputs(),
        "application_statuses": [status.value for status in ApplicationStatus],
        "accelerator_types": sorted(value for name, value in vars(accelerators).items() if name.isupper()),
    }
    return json.dumps(document, indent=2) + "\n"


def deployment_options() -> dict[str, dict[str, Any]]:
    """Each option of a deployment with the update type Ray gives it, and its default where JSON can say it."""
    options = {
        name: {"update": _update_type(field), **_option(field)}
        for name, field in DeploymentConfig.model_fields.items()
        if _update_type(field) is not None
    }
    # These are no fields of DeploymentConfig; `DeploymentVersion.requires_actor_restart` compares them one by one.
    version = set(inspect.signature(DeploymentVersion.__init__).parameters)
    for name in sorted(version - {"self", "code_version", "deployment_config", "route_prefix"}):
        options[name] = {"update": DeploymentOptionUpdateType.HeavyWeight.value}
    return options


def config_options() -> dict[str, list[str]]:
    """The keys that the REST API takes in an application, in each of its deployments and in the parts of these, by the
    way there. Ray drops any other silently."""
    parts = {
        "": ServeApplicationSchema,
        "logging_config": LoggingConfig,
        "deployments": DeploymentSchema,
        "deployments.autoscaling_config": AutoscalingConfig,
        "deployments.backpressure_config": BackpressureConfig,
        "deployments.gang_scheduling_config": GangSchedulingConfig,
        "deployments.logging_config": LoggingConfig,
        "deployments.ray_actor_options": RayActorOptionsSchema,
        "deployments.request_router_config": RequestRouterConfig,
    }
    return {way: sorted(schema.model_fields) for way, schema in parts.items()}


def code_version_inputs() -> list[str]:
    """What Ray hashes into the code version of an application: the keys of the one mapping in that function."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(get_app_code_version)))
    mappings = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    if len(mappings) != 1:
        raise SystemExit("error: `get_app_code_version` of this Ray no longer hashes one mapping; read it again")
    return [ast.literal_eval(key) for key in mappings[0].keys if key is not None]


def _update_type(field: FieldInfo) -> str | None:
    extra = field.json_schema_extra
    update = extra.get("update_type") if isinstance(extra, dict) else None
    return update.value if isinstance(update, DeploymentOptionUpdateType) else None


def _option(field: FieldInfo) -> dict[str, Any]:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, enum.Enum):
        default = default.value
    option: dict[str, Any] = {}
    if default is None or isinstance(default, bool | int | float | str):
        option["default"] = default
    if "DEPRECATED" in (field.description or ""):
        option["deprecated"] = True
    return option
