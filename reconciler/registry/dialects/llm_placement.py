"""The bundles of one replica of an `LLMConfig`: those of its workers, the first of which holds the replica actor too.

Ray adds the actor's resources to the first worker's bundle (`_merge_replica_actor_and_child_actor_bundles` in
`ray.llm._internal.serve.core.server.llm_server`, 2.60), where RayLLM had a bundle for the actor alone; so the canonical
form has the bundles themselves. Without GPUs both ways end in one bundle, and the resources are written as they are.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.accelerators import ACCELERATOR_PREFIX, accelerator_type
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_ACTOR: KeyPath = ("deployment_config", "ray_actor_options")
_PLACEMENT: KeyPath = ("placement_group_config",)
_BUNDLES: KeyPath = ("scaling_config", "bundles")
_SHARE = 0.001
"""What Ray asks of the accelerator's resource in each bundle."""

_KINDS = ("cpu", "gpu")
_OWN = ("CPU", "GPU")
_IN_BUNDLES = "Ray puts it in the replica's bundles"


def translate_llm_placement(translator: Translator) -> None:
    """Carry `accelerator_type`, `accelerator_config`, `placement_group_config` and `ray_actor_options`."""
    strategy = (*_PLACEMENT, "strategy")
    translator.copy(strategy, ("scaling_config", "placement_strategy"))
    _refuse_what_cannot_be_carried(translator)
    kind = translator.get("accelerator_config", "kind")
    each, explicit = translator.get(*_PLACEMENT, "bundle_per_worker"), translator.get(*_PLACEMENT, "bundles")
    if _resources(each) is not None and not each.get("GPU"):
        _write_cpu_worker(translator, each)
    elif kind == "cpu" and each is None and explicit is None:
        _write_cpu_worker(translator, {"CPU": 1})
    else:
        _write_bundles(translator, each, explicit)
    if kind in _KINDS:
        translator.keep(("accelerator_config", "kind"), "the resources of the workers say it")


def _write_cpu_worker(translator: Translator, worker: Mapping[str, Any]) -> None:
    """Workers without a GPU are processes of the replica, whose resources are added up."""
    source = (*_PLACEMENT, "bundle_per_worker")
    position = translator.position(source)
    target: KeyPath = ("scaling_config",)
    translator.put((*target, "num_gpus_per_worker"), 0, position)
    translator.put((*target, "num_cpus_per_worker"), worker.get("CPU", 0), position)
    for name in translator.keys(source):
        path = (*source, name)
        if name in ("CPU", "GPU"):
            translator.map(path, (*target, f"num_{name.lower()}s_per_worker"), worker[name])
        else:
            translator.copy(path, (*target, "resources_per_worker", name))
    for key in ("num_cpus", "num_gpus"):
        translator.copy((*_ACTOR, key), (*_ACTOR, key))
    for name in translator.keys((*_ACTOR, "resources")):
        path = (*_ACTOR, "resources", name)
        if translator.get(*path) == 0:
            translator.keep(path, "it asks for nothing")
        else:
            translator.copy(path, path)
    if translator.has(("accelerator_type",)):
        message = "a model on CPUs has no accelerator"
        translator.refuse(("accelerator_type",), "accelerator-on-cpu", message, "remove `accelerator_type`")


def _write_bundles(translator: Translator, each: Any, explicit: Any) -> None:
    workers = translator.value_at(("scaling_config",)).get("num_workers", 1)
    count = workers if isinstance(workers, int) else 1
    sources: list[KeyPath] = []
    bundles: list[dict[str, Any]] = [{"GPU": 1} for _ in range(count)]
    if explicit is not None:
        sources.append((*_PLACEMENT, "bundles"))
        if not isinstance(explicit, list) or not all(_resources(bundle) is not None for bundle in explicit):
            translator.copy((*_PLACEMENT, "bundles"), _BUNDLES)
            return
        bundles = [dict(bundle) for bundle in explicit]
    elif each is not None:
        sources.append((*_PLACEMENT, "bundle_per_worker"))
        if _resources(each) is None:
            message = "`bundle_per_worker` must be a mapping of resources to numbers"
            translator.refuse(sources[0], "wrong-type", message)
            return
        bundles = [dict(each) for _ in range(count)]
    accelerator = translator.get("accelerator_type")
    if accelerator is not None:
        sources.append(("accelerator_type",))
        resource = ACCELERATOR_PREFIX + (accelerator_type(str(accelerator)) or str(accelerator))
        for bundle in bundles:
            bundle.setdefault(resource, _SHARE)
    if bundles:
        bundles[0] = _with_actor(translator, bundles[0], sources)
    positive = [_positive(bundle) for bundle in bundles]
    for source in sources:
        translator.map(source, _BUNDLES, positive, _IN_BUNDLES)
    if not sources:
        translator.put(_BUNDLES, positive, translator.position(()))


def _with_actor(translator: Translator, first: Mapping[str, Any], sources: list[KeyPath]) -> dict[str, Any]:
    """The first worker's bundle with what the replica actor asks for: one CPU, unless it says otherwise."""
    merged = dict(first)
    actor: dict[KeyPath, tuple[str, Any]] = {
        (*_ACTOR, "num_cpus"): ("CPU", translator.get(*_ACTOR, "num_cpus", default=1)),
        (*_ACTOR, "num_gpus"): ("GPU", translator.get(*_ACTOR, "num_gpus", default=0)),
        (*_ACTOR, "memory"): ("memory", translator.get(*_ACTOR, "memory", default=0)),
    }
    for name in translator.keys((*_ACTOR, "resources")):
        actor[*_ACTOR, "resources", name] = (name, translator.get(*_ACTOR, "resources", name))
    for path, (resource, amount) in actor.items():
        if not _is_amount(amount):
            if translator.has(path):
                message = f"{quoted(amount)} is no amount of a resource"
                translator.refuse(path, "wrong-type", message, "write a number")
            continue
        merged[resource] = merged.get(resource, 0) + amount
        if translator.has(path):
            sources.append(path)
    return merged


def _positive(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """What the bundle asks for, CPUs and GPUs first."""
    names = [*(name for name in _OWN if name in bundle), *(name for name in bundle if name not in _OWN)]
    return {name: bundle[name] for name in names if bundle[name]}


def _refuse_what_cannot_be_carried(translator: Translator) -> None:
    kind = ("accelerator_config", "kind")
    if translator.has(kind) and translator.get(*kind) not in _KINDS:
        message = f"a model on {quoted(translator.get(*kind))} cannot be placed by the registry"
        translator.refuse(kind, "not-a-choice", message, "write `cpu` or `gpu`")
    if translator.has((*_ACTOR, "runtime_env")):
        message = "the replica actor has no runtime environment of its own"
        translator.refuse((*_ACTOR, "runtime_env"), "replica-runtime-env", message, "write it as `runtime_env`")


def _resources(value: Any) -> Mapping[str, Any] | None:
    """The bundle, when it is a mapping of resources to amounts."""
    return value if isinstance(value, Mapping) and all(_is_amount(amount) for amount in value.values()) else None


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
