"""One `byzerllm deploy` in canonical form: what its arguments meant for vLLM, and why the others cannot be served.

The meaning is that of `src/byzerllm/utils/client/byzerllm_client.py`: `num_workers` replicas, each with the GPUs of
`gpus_per_worker` as one tensor parallel group, and 100 requests at a time for vLLM whatever the flags say.
"""

import re
from typing import Any

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document
from reconciler.registry.imports.byzer_command import MODEL, is_in_clear
from reconciler.registry.imports.byzer_replicas import CONCURRENCY, translate_replicas
from reconciler.registry.imports.imported import leave_out, refuse_rest
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import KeyPath
from reconciler.registry.scalar import resolve
from reconciler.registry.secret import is_secret_path

NAME = "byzerllm"

_GENERATIVE = frozenset({"auto", "llama", "llama2", "qwen", "baichuan", "falcon", "starcode", "zephyr"})
_EMBEDDING = frozenset({"bge", "m3e"})
_DEFAULT_TYPE = "custom/llama2"

_PARAMETERS: KeyPath = ("infer_params",)
_BACKEND: KeyPath = (*_PARAMETERS, "backend")
_MEMORY_SHARE = 0.9
"""byzerllm's default for vLLM's `gpu_memory_utilization`."""


def translate_deployment(document: Document) -> Translation:
    """The deployment in canonical form, or refused as a whole, with the reason at the argument that is it."""
    translator = Translator(NAME, _with_typed_parameters(document))
    _tell_secrets(translator)
    if _refused(translator):
        refuse_rest(translator, "its deployment is refused")
        return translator.finish()
    _translate_model(translator)
    translate_replicas(translator)
    _translate_parameters(translator)
    if translator.has(("ray_address",)):
        hint = "write the address of its dashboard in `clusters/<name>.yaml`"
        leave_out(translator, ("ray_address",), "which cluster serves a model is said in a file of its own", hint)
    if translator.has(("file",)):
        translator.keep(("file",), "its arguments are read with these")
    return translator.finish()


def translate_easy_deployment(document: Document) -> Translation:
    """A deployment by `easy-byzerllm`, which is always one of a service outside the cluster."""
    translator = Translator("easy-byzerllm", document)
    _tell_secrets(translator)
    message = "easy-byzerllm only asks services outside the cluster: there is no model to serve"
    hint = "let clients ask that service itself"
    if translator.has((MODEL,)):
        translator.refuse((MODEL,), "unsupported-model-type", message, hint)
    else:
        translator.report(translator.position(()), "unsupported-model-type", message, hint)
    refuse_rest(translator, "its deployment is refused")
    return translator.finish()


def _tell_secrets(translator: Translator) -> None:
    for path in list(translator.undecided()):
        # Asking for a key makes it one of the format, so only for these.
        if is_secret_path(path) and is_in_clear(translator.get(*path)):
            message = f"{quoted(path[-1])} is a secret, and its value stands here in clear"
            name = "MODEL_" + re.sub(r"\W+", "_", str(path[-1])).upper()
            hint = f"no secret goes into the registry: write `${{{name}}}`, a variable of the cluster's nodes"
            translator.refuse(path, "secret-in-clear", message, hint)


def _refused(translator: Translator) -> bool:
    """Whether the whole deployment is one that the engines cannot serve; then that is told."""
    kind = str(translator.get("pretrained_model_type", default=_DEFAULT_TYPE))
    backend = str(translator.get("infer_backend", default=""))
    if kind.startswith("saas/"):
        message = f"{quoted(kind)} asks a service outside the cluster: there is no model to serve"
        hint = "let clients ask that service itself, or serve an open model with `--infer_backend vllm`"
        translator.refuse(("pretrained_model_type",), "unsupported-model-type", message, hint)
        return True
    if backend == "llama_cpp":
        message = "`llama_cpp` serves GGUF files, and vLLM reads those only in an experiment"
        hint = "serve the model's original weights with `--infer_backend vllm`"
        translator.refuse(("infer_backend",), "unsupported-backend", message, hint)
        return True
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


def _translate_model(translator: Translator) -> None:
    for source in (("model",), ("model_path",)):
        if translator.get(*source) == "":
            translator.keep(source, "it is empty")
    if translator.has(("model",)) and not translator.decided(("model",)):
        translator.copy(("model",), ("engine_config", "model_id"))
    else:
        message, hint = "`--model` is missing: the deployment has no name", "write `--model NAME`"
        translator.report(translator.position(()), "missing-key", message, hint)
    if translator.has(("model_path",)) and not translator.decided(("model_path",)):
        translator.copy(("model_path",), ("engine_config", "hf_model_id"))
    elif translator.has(("model",)):
        message, hint = "`--model_path` is missing: nothing says where the weights are", "write `--model_path PATH`"
        translator.report(translator.position(()), "missing-key", message, hint)
    kind = str(translator.get("pretrained_model_type", default=_DEFAULT_TYPE)).removeprefix("custom/")
    engine = "EmbeddingEngine" if kind in _EMBEDDING else "VLLMEngine"
    for source in (("pretrained_model_type",), ("infer_backend",)):
        if translator.has(source):
            translator.map(source, ("engine_config", "type"), engine, "vLLM tells the architecture by itself")


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
    for name in translator.keys(_PARAMETERS):
        path = (*_PARAMETERS, name)
        if name != "backend" and not translator.decided(path):
            message = f"the parameter {quoted(name)} does not reach vLLM: those for it begin with `backend.`"
            translator.refuse(path, "unknown-key", message, "remove it, or write `backend.` before it")


def _with_typed_parameters(document: Document) -> Document:
    """The same document with parameters in the types that their texts spell, as byzerllm reads them for vLLM."""
    parameters = document.value.get("infer_params")
    backend = parameters.get("backend") if isinstance(parameters, dict) else None
    if not isinstance(parameters, dict) or not isinstance(backend, dict):
        return document
    typed = {name: _typed(value) for name, value in backend.items()}
    value = {**document.value, "infer_params": {**parameters, "backend": typed}}
    return Document(document.file, value, document.positions, document.refused)


def _typed(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    number, surprise = resolve(value)
    return number if surprise is None and isinstance(number, int | float) else value
