"""Deployments of `saas/...` by Byzer-LLM, and all of `easy-byzerllm`: models that a service outside the cluster runs.

Byzer-LLM had a client of its own for each service (`src/byzerllm/saas/`). Most of these services speak OpenAI's API
today, and one or two are asked through LiteLLM.
"""

from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.imports.byzer_command import MODEL
from reconciler.registry.imports.byzer_services import NOT_SERVED, OPENAI, TYPES, ServiceType
from reconciler.registry.imports.imported import leave_out, refuse_rest
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

SAAS: KeyPath = ("engine_config", "saas")
PARAMETERS: KeyPath = ("infer_params", "saas")
_AUTOSCALING: KeyPath = ("deployment_config", "autoscaling_config")
_EASY_CONCURRENCY = 1000
"""What `easy-byzerllm` set for every model."""

_EASY_CPUS = 0.001
_CPUS = 0.01
"""byzerllm's default for `--cpus_per_worker`."""


def translate_saas(translator: Translator, kind: str) -> bool:
    """Carry a deployment of `saas/<kind>`; False, and refused with the reason, where it cannot be served."""
    path: KeyPath = ("pretrained_model_type",)
    service = TYPES.get(kind)
    if service is None:
        reason = NOT_SERVED.get(kind, f"there is no such service; known are {', '.join(sorted(TYPES))}")
        hint = "let clients ask that service itself"
        translator.refuse(path, "unsupported-model-type", f"`saas/{kind}` cannot be served: {reason}", hint)
        return False
    translator.map(path, ("engine_config", "type"), "SaaSEngine", "a service outside the cluster answers")
    _translate_service(translator, service)
    _translate_parameters(translator, service)
    _translate_replicas(translator, concurrency=1, cpus=_CPUS)
    _leave_out_what_has_no_weights(translator)
    return True


def translate_easy(translator: Translator) -> None:
    """Carry a deployment by `easy-byzerllm`, which took every service for OpenAI's."""
    translator.put(("engine_config", "type"), "SaaSEngine", translator.position(()))
    if translator.has(("alias",)):
        translator.copy(("alias",), ("engine_config", "model_id"))
    if translator.has((MODEL,)):
        translator.copy((MODEL,), (*SAAS, "model"))
        if "model_id" not in translator.value_at(("engine_config",)):
            translator.put(("engine_config", "model_id"), translator.get(MODEL), translator.position((MODEL,)))
    else:
        message, hint = "the model is missing", "write `easy-byzerllm deploy MODEL ...`"
        translator.report(translator.position(()), "missing-key", message, hint)
    for source, target in (("token", "api_key"), ("base_url", "base_url")):
        if not translator.decided((source,)):
            translator.copy((source,), (*SAAS, target))
    _translate_service(translator, OPENAI)
    _translate_parameters(translator, ServiceType("openai", obsolete=OPENAI.obsolete))
    _translate_replicas(translator, concurrency=_EASY_CONCURRENCY, cpus=_EASY_CPUS)


def _translate_service(translator: Translator, service: ServiceType) -> None:
    """Who answers: the service that the type names, or whichever is at the address that was given."""
    elsewhere = translator.has((*PARAMETERS, "base_url")) or translator.has((*PARAMETERS, "api_base"))
    elsewhere = elsewhere or "base_url" in translator.value_at(SAAS)
    provider = "openai_compatible" if service.provider == "openai" and elsewhere else service.provider
    translator.put((*SAAS, "provider"), provider, translator.position(("pretrained_model_type",)))


def _translate_parameters(translator: Translator, service: ServiceType) -> None:
    for name in translator.keys(PARAMETERS):
        path = (*PARAMETERS, name)
        if not translator.decided(path):
            _translate_parameter(translator, path, name, service)
    if "model" not in translator.value_at(SAAS):
        if service.model is not None:
            translator.put((*SAAS, "model"), service.model, translator.position(PARAMETERS))
        else:
            message, hint = "`saas.model` is missing: nothing says which model is asked", "write `saas.model=NAME`"
            translator.report(translator.position(()), "missing-key", message, hint)
    refuse_rest(translator, "it is none of the service's parameters", below=PARAMETERS)


def _translate_parameter(translator: Translator, path: KeyPath, name: str, service: ServiceType) -> None:
    value = translator.get(*path)
    if name in ("api_key", "model"):
        translator.map(path, (*SAAS, name), str(value))
    elif name in ("base_url", "api_base"):
        translator.map(path, (*SAAS, "base_url"), str(value).rstrip("/"))
    elif name == "azure_endpoint":
        address = f"{str(value).rstrip('/')}/openai/v1"
        translator.map(path, (*SAAS, "base_url"), address, "the path of its API like OpenAI's")
    elif name in ("azure_deployment", "domain"):
        translator.map(path, (*SAAS, "model"), str(value), "the model is asked for by this name")
    elif name == "timeout":
        _translate_number(translator, path, "timeout_s", value)
    elif name == "max_retries":
        _translate_number(translator, path, "retries", value)
    elif name in service.options:
        translator.map(path, (*SAAS, "options", service.options[name]), value, "LiteLLM's name for it")
    elif name in service.obsolete:
        translator.drop(path, service.obsolete[name])
    else:
        message = f"the service has no parameter {quoted(name)}"
        hint = "write a default of requests in `generation.generate_kwargs` once the file is there"
        translator.refuse(path, "unknown-key", message, hint)


def _translate_number(translator: Translator, path: KeyPath, target: str, value: Any) -> None:
    try:
        number = int(value) if float(value).is_integer() else float(value)
    except ValueError:
        translator.refuse(path, "command-line", f"`{path[-1]}` wants a number, not {quoted(value)}")
        return
    translator.map(path, (*SAAS, target), number)


def _translate_replicas(translator: Translator, *, concurrency: int, cpus: float) -> None:
    workers, requests, cpu = ("num_workers",), ("worker_concurrency",), ("cpus_per_worker",)
    replicas = translator.get(*workers, default=1)
    if translator.has(workers):
        translator.map(workers, (*_AUTOSCALING, "min_replicas"), replicas, "a worker is a replica, in a fixed number")
    translator.put((*_AUTOSCALING, "min_replicas"), replicas, translator.position(workers))
    translator.put((*_AUTOSCALING, "max_replicas"), replicas, translator.position(workers))
    target = ("deployment_config", "max_ongoing_requests")
    if translator.has(requests):
        translator.copy(requests, target, "a worker took as many requests at a time")
    else:
        translator.put(target, concurrency, translator.position(requests))
    at_once = translator.value_at(("deployment_config",))["max_ongoing_requests"]
    aim = max(1, round(at_once * 0.4))
    translator.put((*_AUTOSCALING, "target_ongoing_requests"), aim, translator.position(requests))
    actor = ("deployment_config", "ray_actor_options", "num_cpus")
    if translator.has(cpu):
        translator.copy(cpu, actor)
    else:
        translator.put(actor, cpus, translator.position(cpu))


def _leave_out_what_has_no_weights(translator: Translator) -> None:
    gpus: KeyPath = ("gpus_per_worker",)
    if translator.has(gpus) and not translator.get(*gpus):
        translator.keep(gpus, "a service outside needs none here")
    for path in (gpus, ("model_path",), ("infer_backend",)):
        if translator.has(path) and not translator.decided(path):
            leave_out(translator, path, "the service has its own weights")
