"""One `byzerllm deploy` in canonical form: what its arguments meant for each engine, and why the rest cannot be served.

The meaning is that of `src/byzerllm/utils/client/byzerllm_client.py`: `num_workers` replicas, each with the GPUs of
`gpus_per_worker` as one tensor parallel group, and 100 requests at a time for vLLM whatever the flags say.
"""

import re
from typing import Any

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.llama_cpp_python import translate_llama_arguments
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document
from reconciler.registry.imports.byzer_command import is_in_clear
from reconciler.registry.imports.byzer_replicas import CONCURRENCY, LLAMA_CPP, translate_replicas
from reconciler.registry.imports.byzer_saas import translate_easy, translate_saas
from reconciler.registry.imports.imported import leave_out, refuse_rest
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.scalar import resolve
from reconciler.registry.secret import is_secret_path

NAME = "byzerllm"

_GENERATIVE = frozenset({"auto", "llama", "llama2", "qwen", "baichuan", "falcon", "starcode", "zephyr"})
_EMBEDDING = frozenset({"bge", "m3e"})
_DEFAULT_TYPE = "custom/llama2"

_ELSEWHERE = "which cluster serves a model is said in a file of its own"
_ADDRESS_HINT = "write the address of its dashboard in `clusters/<name>.yaml`"
_PARAMETERS: KeyPath = ("infer_params",)
_BACKEND: KeyPath = (*_PARAMETERS, "backend")
_MEMORY_SHARE = 0.9
"""byzerllm's default for vLLM's `gpu_memory_utilization`."""


def translate_deployment(document: Document) -> Translation:
    """The deployment in canonical form, or refused as a whole, with the reason at the argument that is it."""
    translator = Translator(NAME, _with_typed_parameters(document))
    _tell_secrets(translator)
    kind = str(translator.get("pretrained_model_type", default=_DEFAULT_TYPE))
    if not (_is_service(translator, kind) if kind.startswith("saas/") else _is_model(translator)):
        refuse_rest(translator, "its deployment is refused")
        return translator.finish()
    if translator.has(("ray_address",)):
        leave_out(translator, ("ray_address",), _ELSEWHERE, _ADDRESS_HINT)
    if translator.has(("file",)):
        translator.keep(("file",), "its arguments are read with these")
    return translator.finish()


def translate_easy_deployment(document: Document) -> Translation:
    """A deployment by `easy-byzerllm`, which is always one of a service outside the cluster."""
    translator = Translator("easy-byzerllm", document)
    _tell_secrets(translator)
    translate_easy(translator)
    if translator.has(("ray_address",)):
        leave_out(translator, ("ray_address",), _ELSEWHERE, _ADDRESS_HINT)
    return translator.finish()


def _is_service(translator: Translator, kind: str) -> bool:
    """Carry a service; False where it is refused."""
    _translate_name(translator)
    return translate_saas(translator, kind.removeprefix("saas/"))


def _is_model(translator: Translator) -> bool:
    """Carry a model that the cluster runs itself; False where no engine can."""
    if _refused(translator):
        return False
    _translate_name(translator)
    _translate_weights(translator)
    translate_replicas(translator)
    if str(translator.get("infer_backend", default="")) == LLAMA_CPP:
        translate_llama_arguments(translator, _PARAMETERS)
        _refuse_parameters(translator, "llama.cpp: those for it have no `backend.` before them")
    else:
        _translate_parameters(translator)
    return True


def _tell_secrets(translator: Translator) -> None:
    for path in list(translator.undecided()):
        # Asking for a key makes it one of the format, so only for these.
        if is_secret_path(path) and is_in_clear(translator.get(*path)):
            message = f"{quoted(path[-1])} is a secret, and its value stands here in clear"
            name = "MODEL_" + re.sub(r"\W+", "_", str(path[-1])).upper()
            hint = f"no secret goes into the registry: write `${{{name}}}`, a variable of the cluster's nodes"
            translator.refuse(path, "secret-in-clear", message, hint)


def _refused(translator: Translator) -> bool:
    """Whether the whole deployment is one that no engine can serve; then that is told."""
    kind = str(translator.get("pretrained_model_type", default=_DEFAULT_TYPE))
    backend = str(translator.get("infer_backend", default=""))
    if backend == LLAMA_CPP:
        return False
    if kind.removeprefix("custom/") not in _GENERATIVE | _EMBEDDING or not kind.startswith("custom/"):
        message = f"vLLM serves no {quoted(kind)} of byzerllm"
        hint = "for a model of text or embeddings write `custom/auto` with `--infer_backend vllm`"
        translator.refuse(("pretrained_model_type",), "unsupported-model-type", message, hint)
        return True
    if backend and backend not in CONCURRENCY:
        message = f"byzerllm has no backend {quoted(backend)}"
        translator.refuse(("infer_backend",), "unsupported-backend", message, "write `--infer_backend vllm`")
        return True
    return False


def _translate_name(translator: Translator) -> None:
    if translator.get("model") == "":
        translator.keep(("model",), "it is empty")
    if translator.has(("model",)) and not translator.decided(("model",)):
        translator.copy(("model",), ("engine_config", "model_id"))
    else:
        message, hint = "`--model` is missing: the deployment has no name", "write `--model NAME`"
        translator.report(translator.position(()), "missing-key", message, hint)


def _translate_weights(translator: Translator) -> None:
    if translator.get("model_path") == "":
        translator.keep(("model_path",), "it is empty")
    if translator.has(("model_path",)) and not translator.decided(("model_path",)):
        translator.copy(("model_path",), ("engine_config", "hf_model_id"))
    elif translator.has(("model",)):
        message, hint = "`--model_path` is missing: nothing says where the weights are", "write `--model_path PATH`"
        translator.report(translator.position(()), "missing-key", message, hint)
    engine, reason = _engine(translator)
    for source in (("pretrained_model_type",), ("infer_backend",)):
        if translator.has(source):
            translator.map(source, ("engine_config", "type"), engine, reason)


def _engine(translator: Translator) -> tuple[str, str]:
    """The type of engine for a model that the cluster runs, and why that."""
    kind = str(translator.get("pretrained_model_type", default=_DEFAULT_TYPE)).removeprefix("custom/")
    backend = str(translator.get("infer_backend", default=""))
    if backend == LLAMA_CPP:
        return "LlamaCppEngine", "llama.cpp reads the file, its template included"
    if kind in _EMBEDDING:
        return "EmbeddingEngine", "vLLM tells the architecture by itself"
    if backend == "transformers":
        return "TransformersEngine", "vLLM runs the model's implementation in transformers"
    return "VLLMEngine", "vLLM tells the architecture by itself"


def _translate_parameters(translator: Translator) -> None:
    length: KeyPath = (*_BACKEND, "max_model_len")
    parallel: KeyPath = (*_BACKEND, "tensor_parallel_size")
    if translator.has(length):
        translator.map(length, ("engine_config", "max_total_tokens"), translator.get(*length))
    else:
        translator.put(("engine_config", "full_context"), True, translator.position(_PARAMETERS))
    if translator.has(parallel):
        leave_out(translator, parallel, "`--gpus_per_worker` says it")
    translate_engine_kwargs(translator, _BACKEND, handled=frozenset({"max_model_len", "tensor_parallel_size"}))
    is_vllm = str(translator.get("infer_backend", default="") or "vllm").endswith("vllm")
    if is_vllm and "gpu_memory_utilization" not in translator.value_at(ENGINE_KWARGS):
        share = (*ENGINE_KWARGS, "gpu_memory_utilization")
        translator.put(share, _MEMORY_SHARE, translator.position(_PARAMETERS))
    _refuse_parameters(
        translator, "vLLM: those for it begin with `backend.`", "remove it, or write `backend.` before it"
    )


def _refuse_parameters(translator: Translator, which: str, hint: str = "remove it") -> None:
    for name in translator.keys(_PARAMETERS):
        path = (*_PARAMETERS, name)
        if not translator.decided(path) and not any(fate[: len(path)] == path for fate in translator.fates):
            translator.refuse(path, "unknown-key", f"the parameter {quoted(name)} does not reach {which}", hint)


def _with_typed_parameters(document: Document) -> Document:
    """The same document with parameters in the types that their texts spell, as byzerllm reads them for vLLM."""
    parameters = document.value.get("infer_params")
    if not isinstance(parameters, dict):
        return document
    typed = {
        name: {key: _typed(item) for key, item in value.items()} if name == "backend" else _typed(value)
        for name, value in parameters.items()
    }
    value = {**document.value, "infer_params": typed}
    return Document(document.file, value, document.positions, document.refused)


def _typed(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    number, surprise = resolve(value)
    return number if surprise is None and isinstance(number, int | float) else value
