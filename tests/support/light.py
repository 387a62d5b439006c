"""Configs of the light application, and its package."""

from pathlib import Path
from typing import Any

from reconciler.serve.packages import Package, zip_package

DEPLOYMENT = "Light"
SCALING = {"min_replicas": 1, "max_replicas": 1, "target_ongoing_requests": 2}


def light_package() -> Package:
    """The code of the light application."""
    return zip_package("light", Path(__file__).parent / "light_app")


def light_gateway(**user_config: Any) -> Any:
    """A light application that stands where the gateway does."""
    [deployment] = light_config("gateway")["deployments"]
    override = {**deployment, "name": "Gateway", "user_config": {"models": {}, **user_config}}
    return {**light_config("gateway"), "import_path": "light_app:gateway", "deployments": [override]}


def light_config(name: str, *, route_prefix: str | None = None, env: dict[str, str] | None = None, **parts: Any) -> Any:
    """An application's config: `args` and the options of its one deployment may be given. It has an autoscaling block
    unless `autoscaling_config=None`."""
    options = {"autoscaling_config": dict(SCALING), **parts.pop("options", {})}
    return {
        "name": name,
        "route_prefix": route_prefix,
        "import_path": "light_app:build",
        "runtime_env": {"py_modules": [light_package().uri], **({"env_vars": env} if env else {})},
        "args": {"owner": "tests", **parts.pop("args", {})},
        "deployments": [
            {"name": DEPLOYMENT, **{option: value for option, value in options.items() if value is not None}}
        ],
        **parts,
    }
