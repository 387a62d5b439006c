"""How many replicas a deployment of Byzer-LLM has, what each of them takes at a time, and its resources."""

from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.imports.imported import leave_out
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

LLAMA_CPP = "llama_cpp"
"""The backend that reads the flag."""

CONCURRENCY = {"vllm": 100, "ray/vllm": 100, "deepspeed": 100, "ray/deepspeed": 100, "transformers": 1}
"""Requests that a worker takes at a time, by the backends that do not read the flag."""

_AUTOSCALING: KeyPath = ("deployment_config", "autoscaling_config")
_ACTOR: KeyPath = ("deployment_config", "ray_actor_options")
_SCALING: KeyPath = ("scaling_config",)


def translate_replicas(translator: Translator) -> None:
    """Carry `num_workers`, `worker_concurrency` and the resources of a worker."""
    workers: KeyPath = ("num_workers",)
    replicas = translator.get(*workers, default=1)
    if translator.has(workers):
        translator.map(workers, (*_AUTOSCALING, "min_replicas"), replicas, "a worker is a replica, in a fixed number")
    translator.put((*_AUTOSCALING, "min_replicas"), replicas, translator.position(workers))
    translator.put((*_AUTOSCALING, "max_replicas"), replicas, translator.position(workers))
    concurrency: KeyPath = ("worker_concurrency",)
    backend = str(translator.get("infer_backend", default="") or "vllm")
    target: KeyPath = ("deployment_config", "max_ongoing_requests")
    requests = translator.get(*concurrency, default=1) if backend == LLAMA_CPP else CONCURRENCY[backend]
    if translator.has(concurrency) and backend == LLAMA_CPP:
        translator.copy(concurrency, target, "a worker took as many requests at a time")
    elif translator.has(concurrency):
        leave_out(translator, concurrency, f"byzerllm sets it to {requests} for {backend}, whatever it is")
    translator.put(target, requests, translator.position(concurrency))
    aim = max(1, round(requests * 0.4))
    translator.put((*_AUTOSCALING, "target_ongoing_requests"), aim, translator.position(concurrency))
    if backend == LLAMA_CPP:
        # One after another, as before: each one more would need the memory of another context.
        translator.put(("engine_config", "engine_kwargs", "n_parallel"), 1, translator.position(concurrency))
    _translate_resources(translator)


def _translate_resources(translator: Translator) -> None:
    gpus: KeyPath = ("gpus_per_worker",)
    cpus: KeyPath = ("cpus_per_worker",)
    count: Any = translator.get(*gpus, default=0)
    is_number = isinstance(count, int | float) and not isinstance(count, bool)
    if is_number and 0 < count < 1 and str(translator.get("infer_backend", default="")) == LLAMA_CPP:
        translator.copy(gpus, (*_SCALING, "num_gpus_per_worker"))
    elif not is_number or count < 0 or count != int(count):
        message = f"{quoted(count)} GPUs cannot be one tensor parallel group: byzerllm made a group of none of them"
        translator.refuse(gpus, "whole-gpus", message, "write a whole number, or 0 for CPUs")
    else:
        target = (*_SCALING, "num_workers") if count else (*_SCALING, "num_gpus_per_worker")
        if translator.has(gpus):
            translator.map(gpus, target, int(count), "the GPUs of a worker are one tensor parallel group")
        translator.put((*_SCALING, "num_workers"), max(1, int(count)), translator.position(gpus))
        translator.put((*_SCALING, "num_gpus_per_worker"), 1 if count else 0, translator.position(gpus))
    # vLLM's own workers asked for a GPU and nothing else; what is given here is the actor's that holds them.
    translator.put((*_SCALING, "num_cpus_per_worker"), 0, translator.position(cpus))
    if translator.has(cpus):
        translator.copy(cpus, (*_ACTOR, "num_cpus"))
    else:
        translator.put((*_ACTOR, "num_cpus"), 0.01, translator.position(cpus))
