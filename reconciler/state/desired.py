"""What the registry calls for on one cluster: one application per model, and the gateway in front of them.

What scales is never in `args` (Ray hashes them into the code version of the application, so a change there restarts
every replica); it is in the `deployments[]` overrides, with the autoscaling block always present, because adding one
later would itself be a new code version (`ray.serve._private.deploy_utils.get_app_code_version`, 2.60).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.registry.cluster import Cluster
from reconciler.registry.prompt_format import chat_template
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.registry.spec import EngineConfig, EngineType, Mirror, ModelSpec, Rollout, total_tokens
from reconciler.state.application import OWNER_ARG, Application
from reconciler.state.capacity import Bundles
from reconciler.state.json_value import JsonValue, canonical
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT, application_name, deployment_name

ENGINE_IMPORT_PATH = "runtime.engine:build"
GATEWAY_IMPORT_PATH = "runtime.gateway:build"

_GATEWAY_ONGOING_REQUESTS = 10_000
"""A gateway replica only forwards; the models' own limits are what queues requests."""

_NODE_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class RuntimePackages:
    """URIs of the code that the applications run, or None where the cluster's image has it installed."""

    engine: str | None
    gateway: str | None


@dataclass(frozen=True, slots=True)
class DesiredApplication:
    """One application that should be there, with what planning needs to know beside its config."""

    application: Application
    model: ModelEntry | None
    """None for the gateway."""
    bundles: Bundles
    """The resources of one replica."""
    min_replicas: int
    max_replicas: int
    rollout: Rollout

    @property
    def name(self) -> str:
        """The application's name."""
        return self.application.name


@dataclass(frozen=True, slots=True)
class DesiredState:
    """All applications that one registry wants on one cluster, sorted by name, the gateway first."""

    cluster: str
    owner: str
    applications: tuple[DesiredApplication, ...]

    def application(self, name: str) -> DesiredApplication | None:
        """The desired application of that name."""
        return next((entry for entry in self.applications if entry.name == name), None)


def desired_state(registry: Registry, cluster: ClusterEntry, packages: RuntimePackages) -> DesiredState:
    """Compile the models that `cluster` is to serve. The result does not depend on the order of files."""
    entries = sorted(registry.models_of(cluster), key=lambda entry: entry.spec.model_id)
    owner = cluster.cluster.owner
    gateway = _gateway(entries, cluster.cluster, packages.gateway)
    models = sorted((_model(entry, owner, packages.engine) for entry in entries), key=lambda model: model.name)
    return DesiredState(cluster.name, owner, (gateway, *models))


def _model(entry: ModelEntry, owner: str, package: str | None) -> DesiredApplication:
    spec = entry.spec
    scaling = spec.deployment_config.autoscaling_config
    bundles = replica_bundles(spec)
    config = {
        "name": application_name(spec.model_id),
        "route_prefix": None,
        "import_path": ENGINE_IMPORT_PATH,
        "runtime_env": _runtime_env(spec.engine_config, package),
        "args": {OWNER_ARG: owner, "llm_config": llm_config(spec, bundles)},
        "deployments": [_deployment_override(spec)],
    }
    return DesiredApplication(
        application=Application(canonical(config)),
        model=entry,
        bundles=bundles,
        min_replicas=scaling.min_replicas,
        max_replicas=scaling.max_replicas,
        rollout=spec.rollout,
    )


def _gateway(entries: list[ModelEntry], cluster: Cluster, package: str | None) -> DesiredApplication:
    settings = cluster.gateway
    config = {
        "name": GATEWAY_APPLICATION,
        "route_prefix": "/",
        "import_path": GATEWAY_IMPORT_PATH,
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
                "user_config": {"models": {entry.spec.model_id: route(entry.spec) for entry in entries}},
            }
        ],
    }
    return DesiredApplication(
        application=Application(canonical(config)),
        model=None,
        bundles=Bundles(({"CPU": settings.num_cpus},) if settings.num_cpus else ()),
        min_replicas=settings.replicas,
        max_replicas=settings.replicas,
        rollout=Rollout(),
    )


def route(spec: ModelSpec) -> dict[str, JsonValue]:
    """A model's entry in the gateway's routing table: where it runs and what its requests get by default."""
    engine = spec.engine_config
    stops = engine.generation.stopping_sequences
    optional = {
        "aliases": sorted(engine.aliases),
        "defaults": engine.generation.generate_kwargs,
        "stop": [stop for stop in stops if isinstance(stop, str)],
        "stop_token_ids": [stop for stop in stops if not isinstance(stop, str)],
        "description": engine.model_description,
        "url": engine.model_url,
        # Remembered on the cluster, because a model whose file is gone has no setting left to ask.
        "protect": spec.rollout.protect,
    }
    return {
        "application": application_name(spec.model_id),
        "deployment": deployment_name(spec.model_id),
        "kind": "embedding" if engine.type is EngineType.EMBEDDING else "generation",
        **{key: value for key, value in optional.items() if value},
    }


def _deployment_override(spec: ModelSpec) -> dict[str, JsonValue]:
    options = spec.deployment_config.model_dump(exclude={"ray_actor_options"}, exclude_none=True)
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


def llm_config(spec: ModelSpec, bundles: Bundles) -> dict[str, JsonValue]:
    """The model as `ray.serve.llm.LLMConfig` takes it (extra keys are errors there)."""
    engine = spec.engine_config
    mirror = engine.s3_mirror_config or engine.gcs_mirror_config
    return {
        "model_loading_config": {
            "model_id": engine.model_id,
            "model_source": _mirror(mirror) if mirror else engine.hf_model_id or engine.model_id,
        },
        "llm_engine": "vLLM",
        "engine_kwargs": _engine_kwargs(spec),
        # The replica's own CPU is in the first bundle already; num_cpus 0 keeps Ray from adding it a second time.
        "deployment_config": {"ray_actor_options": {"num_cpus": 0}},
        "placement_group_config": {
            "bundles": [dict(bundle) for bundle in bundles.bundles],
            "strategy": bundles.strategy.value,
        },
    }


def _mirror(mirror: Mirror) -> dict[str, JsonValue]:
    return mirror.model_dump(exclude_defaults=True)


def _engine_kwargs(spec: ModelSpec) -> dict[str, JsonValue]:
    engine = spec.engine_config
    kwargs: dict[str, Any] = dict(engine.engine_kwargs)
    tokens = total_tokens(engine)
    if tokens is not None:
        kwargs["max_model_len"] = tokens
    kwargs["tensor_parallel_size"] = spec.scaling_config.num_workers // int(kwargs.get("pipeline_parallel_size", 1))
    if engine.tokenizer_id is not None:
        # Not `tokenizer_source` of the loading config: Ray 2.60 accepts it there and never reads it.
        kwargs["tokenizer"] = engine.tokenizer_id
    if engine.type is EngineType.EMBEDDING:
        kwargs["runner"] = "pooling"
    if engine.generation.prompt_format is not None:
        kwargs["chat_template"] = chat_template(engine.generation.prompt_format)
    return kwargs


def replica_bundles(spec: ModelSpec) -> Bundles:
    """The placement group of one replica: the replica actor's bundle, then one for each worker, as RayLLM placed them.

    Without GPUs the workers are processes of the replica itself (vLLM's `mp` executor), so one bundle holds them all.
    vLLM's Ray executor skips bundles without a GPU (`vllm/v1/executor/ray_executor.py`).
    """
    scaling = spec.scaling_config
    if scaling.bundles is not None:
        return Bundles(tuple(_positive(bundle) for bundle in scaling.bundles), scaling.placement_strategy)
    actor = spec.deployment_config.ray_actor_options
    replica = _positive({"CPU": actor.num_cpus, "GPU": actor.num_gpus, **actor.resources})
    worker = _positive(
        {"CPU": scaling.num_cpus_per_worker, "GPU": scaling.num_gpus_per_worker, **scaling.resources_per_worker}
    )
    if scaling.num_gpus_per_worker:
        bundles = [bundle for bundle in (replica, *[worker] * scaling.num_workers) if bundle]
    else:
        merged = dict(replica)
        for resource, amount in worker.items():
            merged[resource] = merged.get(resource, 0.0) + amount * scaling.num_workers
        bundles = [merged or {"CPU": 0.001}]
    return Bundles(tuple(bundles), scaling.placement_strategy)


def _positive(resources: Mapping[str, float]) -> dict[str, float]:
    return {resource: float(amount) for resource, amount in resources.items() if amount > 0}
