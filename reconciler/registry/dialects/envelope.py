"""`enabled`, `deployment_config` and `scaling_config`, which every format since Aviary 0.0.1 has beside its model.

The resources of a replica stay what they were: one bundle for the replica actor, then one for each worker
(`set_deployment_placement_options` in RayLLM's `run.py`), which is what the canonical sections say too.
"""

from typing import Any

from reconciler.registry.dialects.accelerators import ACCELERATOR_PREFIX, accelerator_resource, accelerator_type
from reconciler.registry.dialects.autoscaling import AutoscalingDefaults, translate_autoscaling, translate_first
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

DEPLOYMENT: KeyPath = ("deployment_config",)
SCALING: KeyPath = ("scaling_config",)
ACTOR: KeyPath = (*DEPLOYMENT, "ray_actor_options")

_ACCELERATOR_SHARE = 0.001
"""What Ray asks of the resource for an option `accelerator_type` (`ray._private.utils.resources_from_ray_options`)."""

_NEVER_READ = (
    "user_config",
    "max_queued_requests",
    "health_check_period_s",
    "health_check_timeout_s",
    "graceful_shutdown_wait_loop_s",
    "graceful_shutdown_timeout_s",
    "placement_group_bundles",
    "placement_group_strategy",
)
"""Serve options that the class `DeploymentConfig` of these formats left out without a word."""


def translate_envelope(
    translator: Translator, *, autoscaling: AutoscalingDefaults, max_ongoing_requests: int | None
) -> None:
    """Carry all three. `max_ongoing_requests` is the format's own where the file says nothing; None: the caller's."""
    translator.copy(("enabled",), ("enabled",))
    translate_deployment(translator, autoscaling=autoscaling, max_ongoing_requests=max_ongoing_requests)
    translate_scaling(translator)


def translate_deployment(
    translator: Translator, *, autoscaling: AutoscalingDefaults, max_ongoing_requests: int | None
) -> None:
    """Carry `deployment_config`."""
    translate_autoscaling(translator, (*DEPLOYMENT, "autoscaling_config"), autoscaling)
    target = (*DEPLOYMENT, "max_ongoing_requests")
    given = translate_first(translator, DEPLOYMENT, ("max_ongoing_requests", "max_concurrent_queries"), target)
    if given is None and max_ongoing_requests is not None:
        translator.put(target, max_ongoing_requests, translator.position(DEPLOYMENT))
    for key in _NEVER_READ:
        if translator.has((*DEPLOYMENT, key)):
            reason = "this format never read it; once the file is migrated it can be written"
            translator.drop((*DEPLOYMENT, key), reason if "placement" not in key else "this format never read it")
    replicas = (*DEPLOYMENT, "num_replicas")
    if translator.has(replicas):
        translator.drop(replicas, "this format never read it: `autoscaling_config` says how many replicas there are")
    _translate_actor(translator)


def _translate_actor(translator: Translator) -> None:
    translator.copy((*ACTOR, "num_cpus"), (*ACTOR, "num_cpus"))
    translator.copy((*ACTOR, "num_gpus"), (*ACTOR, "num_gpus"))
    translate_resources(translator, (*ACTOR, "resources"), (*ACTOR, "resources"))
    accelerator = translator.get(*ACTOR, "accelerator_type")
    if accelerator is not None:
        resource = ACCELERATOR_PREFIX + (accelerator_type(str(accelerator)) or str(accelerator))
        target = (*ACTOR, "resources", resource)
        translator.map((*ACTOR, "accelerator_type"), target, _ACCELERATOR_SHARE, "it is this resource")
    if translator.has((*ACTOR, "memory")):
        reason = "a replica's bundle never held memory, so that no replica could have started with it"
        translator.drop((*ACTOR, "memory"), reason)
    if translator.has((*ACTOR, "runtime_env")):
        message = "the replica actor has no runtime environment of its own"
        hint = "write it as `engine_config.runtime_env`, which holds for actor and workers"
        translator.refuse((*ACTOR, "runtime_env"), "replica-runtime-env", message, hint)


def translate_scaling(translator: Translator) -> None:
    """Carry `scaling_config`.

    No worker at all (Anyscale's embedding files) means that the replica actor holds the model: then one worker that
    asks for nothing leaves the replica's only bundle as it was.
    """
    workers = (*SCALING, "num_workers")
    if translator.get(*workers) == 0:
        reason = "the replica holds the model itself: one worker that asks for nothing beside it"
        translator.map(workers, workers, 1, reason)
        for key in ("num_gpus_per_worker", "num_cpus_per_worker"):
            if translator.has((*SCALING, key)):
                translator.map((*SCALING, key), (*SCALING, key), 0, "there is no worker that would need it")
            else:
                translator.put((*SCALING, key), 0, translator.position(workers))
        for name in translator.keys((*SCALING, "resources_per_worker")):
            translator.drop((*SCALING, "resources_per_worker", name), "there is no worker that would need it")
    else:
        _translate_workers(translator)
    translator.copy((*SCALING, "placement_strategy"), (*SCALING, "placement_strategy"))
    if translator.has((*SCALING, "pg_timeout_s")):
        translator.drop((*SCALING, "pg_timeout_s"), "a plan refuses what cannot be placed, and waits for nothing")


def _translate_workers(translator: Translator) -> None:
    workers = (*SCALING, "num_workers")
    if translator.has(workers):
        translator.copy(workers, workers)
    else:
        message, hint = "`scaling_config.num_workers` is missing", "write how many GPUs a replica has"
        translator.report(translator.position(SCALING), "missing-key", message, hint)
    gpus = (*SCALING, "num_gpus_per_worker")
    count = translator.get(*gpus)
    if isinstance(count, int | float) and count > 1:
        message = f"a worker of vLLM has one GPU, not {count:g}"
        hint = "multiply `num_workers` by it and write `num_gpus_per_worker: 1`"
        translator.refuse(gpus, "one-gpu-a-worker", message, hint)
    else:
        translator.copy(gpus, gpus)
    translator.copy((*SCALING, "num_cpus_per_worker"), (*SCALING, "num_cpus_per_worker"))
    resources = (*SCALING, "resources_per_worker")
    translate_resources(translator, resources, resources)


def translate_resources(translator: Translator, source: KeyPath, target: KeyPath) -> None:
    """Carry custom resources, with accelerators under the names that Ray has for them and amounts as they are."""
    for name in translator.keys(source):
        path, resource = (*source, name), accelerator_resource(name)
        amount: Any = translator.get(*path)
        if resource is None:
            reason = "only the clusters that Aviary itself described declared this resource; nodes have `num_cpus`"
            translator.drop(path, reason)
        elif amount is None or (amount == 0 and not isinstance(amount, bool)):
            translator.keep(path, "it asks for nothing")
        elif resource != name and resource in {*translator.keys(source), *translator.value_at(target)}:
            message = f"`{name}` and `{resource}` are the same resource"
            translator.refuse(path, "given-twice", message, "keep one of them")
        else:
            translator.map(path, (*target, resource), amount, _resource_reason(name, resource))


def _resource_reason(name: str, resource: str) -> str | None:
    if resource == name:
        return None
    if resource == f"{ACCELERATOR_PREFIX}A10G":
        return "it is AWS's A10G; Ray's name for a plain A10 is `accelerator_type:A10`"
    return "it is this resource of the nodes today"
