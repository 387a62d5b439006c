"""`deploymentConfig` and `scalingConfig` of OneBlock, with the constants that its controller added."""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.envelope import translate_resources
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath

_DEPLOYMENT: KeyPath = ("spec", "deploymentConfig")
_SCALING: KeyPath = ("spec", "scalingConfig")
_AUTOSCALING: KeyPath = ("deployment_config", "autoscaling_config")

_CONSTANTS: Mapping[str, float] = {
    "look_back_period_s": 30,
    "upscale_delay_s": 60,
    "downscale_delay_s": 300,
    "upscaling_factor": 0.6,
    "downscaling_factor": 0.6,
}
"""What OneBlock wrote in every `autoscaling_config`."""

_TARGET_SHARE = 0.4
"""Of `maxConcurrentQueries`, where no target is given."""


def translate_replicas(translator: Translator) -> None:
    """Carry `deploymentConfig`."""
    least = _whole(translator, (*_DEPLOYMENT, "minReplicas"), 1)
    position = translator.position(_DEPLOYMENT)
    for key, default in (("minReplicas", 1), ("maxReplicas", 2)):
        target = (*_AUTOSCALING, "min_replicas" if key == "minReplicas" else "max_replicas")
        translator.put(target, default, position)
        translator.copy((*_DEPLOYMENT, key), target)
    replicas = (*_DEPLOYMENT, "replicas")
    if translator.get(*replicas) == least:
        translator.keep(replicas, "it is the least number of replicas, with which a model begins")
    else:
        translator.copy(replicas, (*_AUTOSCALING, "initial_replicas"))
    queries = (*_DEPLOYMENT, "maxConcurrentQueries")
    translator.copy(queries, ("deployment_config", "max_ongoing_requests"))
    if not translator.has(queries):
        message, hint = "`maxConcurrentQueries` is missing", "write how many requests a replica takes at a time"
        translator.report(position, "missing-key", message, hint)
    aim, target = (*_DEPLOYMENT, "targetNumOngoingRequests"), (*_AUTOSCALING, "target_ongoing_requests")
    if translator.get(*aim):
        translator.copy(aim, target)
    else:
        if translator.has(aim):
            translator.keep(aim, "0 stands for 40 % of `maxConcurrentQueries`")
        share = max(1, int(_TARGET_SHARE * _whole(translator, queries, 0)))
        translator.put(target, share, translator.position(queries))
    for name, value in _CONSTANTS.items():
        translator.put((*_AUTOSCALING, name), value, position)


def translate_workers(translator: Translator) -> None:
    """Carry `scalingConfig`."""
    for key, target, default in (
        ("numWorkers", "num_workers", 1),
        ("numGPUsPerWorker", "num_gpus_per_worker", 1),
        ("numCPUsPerWorker", "num_cpus_per_worker", 1),
        ("placementStrategy", "placement_strategy", "STRICT_PACK"),
    ):
        translator.put(("scaling_config", target), default, translator.position(_SCALING))
        translator.copy((*_SCALING, key), ("scaling_config", target))
    resources = (*_SCALING, "resourcesPerWorker")
    translate_resources(translator, resources, ("scaling_config", "resources_per_worker"))


def with_numbers(document: Document) -> Document:
    """The same document with the amounts of resources as numbers: Kubernetes writes quantities as text."""
    spec = document.value.get("spec")
    scaling = spec.get("scalingConfig") if isinstance(spec, dict) else None
    amounts = scaling.get("resourcesPerWorker") if isinstance(scaling, dict) else None
    if not isinstance(spec, dict) or not isinstance(scaling, dict) or not isinstance(amounts, dict):
        return document
    numbers = {name: _number(amount) for name, amount in amounts.items()}
    value = {**document.value, "spec": {**spec, "scalingConfig": {**scaling, "resourcesPerWorker": numbers}}}
    return Document(document.file, value, document.positions, document.refused)


def _number(amount: Any) -> Any:
    try:
        return float(amount) if isinstance(amount, str) else amount
    except ValueError:
        return amount


def _whole(translator: Translator, path: KeyPath, default: int) -> int:
    value = translator.get(*path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
