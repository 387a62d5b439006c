"""From a model's canonical form to its Ray Serve application.

What scales is never in `args` (Ray hashes them into the code version of the application, so a change there restarts
every replica); it is in the `deployments[]` overrides, with the autoscaling block always present, because adding one
later would itself be a new code version (`ray.serve._private.deploy_utils.get_app_code_version`, 2.60).
"""

import re
from typing import TYPE_CHECKING

import msgspec

from reconciler.registry.cluster import Cluster, Gateway
from reconciler.registry.engine_spec import EngineConfig
from reconciler.registry.recalled import remembered
from reconciler.registry.replica_group import replica_group
from reconciler.registry.spec import ModelSpec, Rollout
from reconciler.state.adapters import adapter_route, stops
from reconciler.state.application import OWNER_ARG
from reconciler.state.capacity import Bundles
from reconciler.state.compiled import Compiled
from reconciler.state.engines.by_type import ENGINES
from reconciler.state.json_value import JsonValue, canonical_bytes
from reconciler.state.names import (
    GATEWAY_APPLICATION,
    GATEWAY_DEPLOYMENT,
    application_name,
    deployment_name,
    import_path,
)

if TYPE_CHECKING:
    # It imports this module itself, when something has to be compiled.
    from reconciler.state.runtime_packages import RuntimePackages

_GATEWAY_ONGOING_REQUESTS = 10_000
"""A gateway replica only forwards; the models' own limits are what queues requests."""

_NODE_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def compiled_model(spec: ModelSpec, owner: str, packages: "RuntimePackages") -> Compiled:
    """A model's application."""
    engine = ENGINES[spec.engine_config.type]
    scaling = spec.deployment_config.autoscaling_config
    bundles = replica_bundles(spec)
    config = {
        "name": application_name(spec.model_id),
        "route_prefix": None,
        "import_path": import_path(engine.package),
        "runtime_env": _runtime_env(spec.engine_config, packages.uri(engine.package)),
        "args": {OWNER_ARG: owner, **engine.args(spec, bundles)},
        "deployments": [_deployment_override(spec)],
    }
    return Compiled(
        text=_text(config),
        route=_text(route(spec, packages.uri(engine.package))),
        bundles=_bundles_text(bundles),
        rollout=_text(remembered(spec.rollout)),
        min_replicas=scaling.min_replicas,
        max_replicas=scaling.max_replicas,
        initial_replicas=scaling.initial_replicas,
        drain_s=spec.deployment_config.graceful_shutdown_timeout_s,
    )


def compiled_gateway(cluster: Cluster, package: str | None) -> Compiled:
    """The gateway without its routing table."""
    settings = cluster.gateway
    config = {
        "name": GATEWAY_APPLICATION,
        "route_prefix": "/",
        "import_path": import_path("gateway"),
        "runtime_env": {"py_modules": [package]} if package else {},
        "args": {OWNER_ARG: cluster.owner, "num_cpus": settings.num_cpus},
        "deployments": [
            {
                "name": GATEWAY_DEPLOYMENT,
                "max_ongoing_requests": _GATEWAY_ONGOING_REQUESTS,
                "autoscaling_config": {
                    "min_replicas": settings.replicas,
                    "max_replicas": settings.replicas,
                    "target_ongoing_requests": _GATEWAY_ONGOING_REQUESTS,
                },
                "user_config": {"models": {}, **_gateway_settings(settings)},
            }
        ],
    }
    return Compiled(
        text=_text(config),
        route=_text(None),
        bundles=_bundles_text(Bundles(({"CPU": settings.num_cpus},) if settings.num_cpus else ())),
        rollout=_text(remembered(Rollout())),
        min_replicas=settings.replicas,
        max_replicas=settings.replicas,
        initial_replicas=None,
        drain_s=0.0,
    )


def _gateway_settings(settings: Gateway) -> dict[str, JsonValue]:
    """What the gateway takes in place beside its routing table, where it is not what the gateway does anyway."""
    limits = settings.limits.model_dump(exclude_defaults=True)
    if "body_mib" in limits:
        limits["body_bytes"] = limits.pop("body_mib") * 2**20
    # By name: a plan shows each by itself.
    keys = {key.name: key.model_dump(exclude={"name"}) for key in settings.keys}
    return {name: value for name, value in (("keys", keys), ("limits", limits)) if value}


def _text(value: JsonValue) -> msgspec.Raw:
    return msgspec.Raw(canonical_bytes(value))


def _bundles_text(bundles: Bundles) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode((bundles.strategy, bundles.bundles)))


def route(spec: ModelSpec, package: str | None = None) -> dict[str, JsonValue]:
    """A model's entry in the gateway's routing table: where it runs, on which code, and what its requests get."""
    engine, generation = spec.engine_config, spec.engine_config.generation
    canary = spec.traffic.canary
    optional = {
        "aliases": sorted(engine.aliases),
        "defaults": generation.generate_kwargs,
        **stops(generation.stopping_sequences),
        "max_input_tokens": generation.max_input_tokens,
        "max_output_tokens": generation.max_output_tokens,
        "canary": canary and canary.model_dump(),
        "fallback": spec.traffic.fallback,
        "description": engine.model_description,
        "url": engine.model_url,
        **adapter_route(engine),
        # The gateway sees to it that Ray keeps the code of a model that has no replica.
        "package": package,
        # Remembered on the cluster, because a model whose file is gone has no setting left to ask.
        "protect": spec.rollout.protect,
    }
    return {
        "application": application_name(spec.model_id),
        "deployment": deployment_name(spec.model_id),
        "kind": engine.kind,
        **({} if generation.chat else {"chat": False}),
        **{key: value for key, value in optional.items() if value},
    }


def _deployment_override(spec: ModelSpec) -> dict[str, JsonValue]:
    options = spec.deployment_config.model_dump(exclude={"ray_actor_options"}, exclude_none=True)
    user_config = ENGINES[spec.engine_config.type].user_config(spec)
    if user_config is not None:
        options["user_config"] = user_config
    return {"name": deployment_name(spec.model_id), **options}


def _runtime_env(engine: EngineConfig, package: str | None) -> dict[str, JsonValue]:
    env_vars = {
        # Ray expands ${NAME} on the node when it starts a worker (ray._private.utils.update_envs).
        name: _NODE_VARIABLE.sub(r"${\1}", value)
        for name, value in engine.runtime_env.env_vars.items()
    }
    optional = {
        "py_modules": [package] if package else [],
        "env_vars": env_vars,
        "pip": list(engine.runtime_env.pip),
    }
    return {key: value for key, value in optional.items() if value}


def replica_bundles(spec: ModelSpec) -> Bundles:
    """The placement group of one replica."""
    return Bundles(replica_group(spec), spec.scaling_config.placement_strategy)
