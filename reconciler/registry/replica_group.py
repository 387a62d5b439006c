"""The placement group of one replica, from its model file."""

from collections.abc import Mapping

from reconciler.registry.choices import EngineType
from reconciler.registry.spec import ModelSpec

_ACTOR_CPUS = {EngineType.LLAMA_CPP: 0.0, EngineType.SAAS: 0.01}
"""CPUs of the replica actor where its file gives none, and it is not 1."""

_LEAST: Mapping[str, float] = {"CPU": 0.001}
"""What a replica asks for that needs nothing: a bundle is never empty."""


def replica_group(spec: ModelSpec) -> tuple[dict[str, float], ...]:
    """The bundles of one replica: the replica actor's, then one for each worker, as RayLLM placed them.

    Without GPUs the workers are processes of the replica itself (vLLM's `mp` executor), so one bundle holds them all.
    vLLM's Ray executor skips bundles without a GPU (`vllm/v1/executor/ray_executor.py`). llama.cpp is one process with
    all its GPUs, so its bundle is always one; what asks somebody else has no workers.
    """
    scaling, kind = spec.scaling_config, spec.engine_config.type
    if scaling.bundles is not None:
        return tuple(_positive(bundle) for bundle in scaling.bundles)
    actor = spec.deployment_config.ray_actor_options
    cpus = _ACTOR_CPUS.get(kind, 1.0) if actor.num_cpus is None else actor.num_cpus
    replica = _positive({"CPU": cpus, "GPU": actor.num_gpus, **actor.resources})
    if kind is EngineType.SAAS:
        return (replica or dict(_LEAST),)
    worker = _positive(
        {"CPU": scaling.num_cpus_per_worker, "GPU": scaling.num_gpus_per_worker, **scaling.resources_per_worker}
    )
    if scaling.num_gpus_per_worker and kind is not EngineType.LLAMA_CPP:
        return tuple(bundle for bundle in (replica, *[worker] * scaling.num_workers) if bundle)
    merged = dict(replica)
    for resource, amount in worker.items():
        merged[resource] = merged.get(resource, 0.0) + amount * scaling.num_workers
    return (merged or dict(_LEAST),)


def _positive(resources: Mapping[str, float]) -> dict[str, float]:
    return {resource: float(amount) for resource, amount in resources.items() if amount > 0}
