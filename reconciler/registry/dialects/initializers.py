"""The `initializer` of an Aviary model: which library loaded it and how. vLLM loads it today."""

from collections.abc import Mapping
from difflib import get_close_matches

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.loading_arguments import translate_dtype, translate_loading_arguments
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import KeyPath

_TRANSFORMERS = frozenset({"DeepSpeed", "DeviceMap", "SingleDevice"})
_TYPES = _TRANSFORMERS | {"LlamaCpp", "TextGenerationInference"}
_VLLM = "Vllm"

_DEFAULT_DTYPE = "float16"
"""What transformers loaded where a file said nothing; vLLM would take the type of the weights."""

_DEEPSPEED_TOKENS = 1024
"""What DeepSpeed made room for where a file said nothing."""

_OPTIMISED = "vLLM has kernels of its own"
_PLACED = "vLLM spreads the model over its workers itself"
_OBSOLETE: Mapping[str, str] = {
    "use_bettertransformer": _OPTIMISED,
    "torch_compile": _OPTIMISED,
    "use_kernel": _OPTIMISED,
    "ds_inference_kwargs": _OPTIMISED,
    "use_meta_tensor": _PLACED,
    "device_map": _PLACED,
    "model_filename": "vLLM loads every file of the model",
}


def translate_initializer(translator: Translator, source: KeyPath, *, vllm: bool = False) -> str:
    """Carry the initializer at `source` and return its type, empty without one. `vllm`: it may be `Vllm` as well."""
    kind = str(translator.get(*source, "type", default=""))
    _translate_type(translator, (*source, "type"), _TYPES | {_VLLM} if vllm else _TYPES)
    # Arguments for loading came last in what transformers was given, so that they win over `dtype` beside them.
    translate_loading_arguments(translator, (*source, "from_pretrained_kwargs"))
    translate_loading_arguments(translator, (*source, "model_init_kwargs"))
    translate_dtype(translator, (*source, "dtype"))
    if kind in _TRANSFORMERS and "dtype" not in translator.value_at(ENGINE_KWARGS):
        translator.put((*ENGINE_KWARGS, "dtype"), _DEFAULT_DTYPE, translator.position(source))
    for name, reason in _OBSOLETE.items():
        if translator.has((*source, name)):
            translator.drop((*source, name), reason)
    _translate_max_tokens(translator, (*source, "max_tokens"), kind)
    return kind


def _translate_type(translator: Translator, path: KeyPath, types: frozenset[str]) -> None:
    if not translator.has(path):
        return
    kind, target = str(translator.get(*path)), ("engine_config", "type")
    if kind == _VLLM and _VLLM in types:
        translator.map(path, target, "VLLMEngine")
    elif kind == "LlamaCpp":
        message = "vLLM does not run the single-file models of llama.cpp"
        hint = "write the Hugging Face id of the original weights as `hf_model_id`, and another initializer"
        translator.refuse(path, "unsupported-engine", message, hint)
    elif kind in types:
        translator.map(path, target, "VLLMEngine", f"vLLM takes the place of `{kind}`")
        message = f"vLLM runs this model instead of `{kind}`: the same weights, but not the same numbers bit for bit"
        translator.warn(translator.position(path), "engine-replaced", message)
    else:
        near = get_close_matches(kind, sorted(types), n=1)
        hint = (
            f"did you mean `{near[0]}`?" if near else "it is one of " + ", ".join(f"`{name}`" for name in sorted(types))
        )
        translator.refuse(path, "not-a-choice", f"{quoted(kind)} is no initializer", hint)


def _translate_max_tokens(translator: Translator, path: KeyPath, kind: str) -> None:
    target = ("engine_config", "max_total_tokens")
    if translator.has(path):
        translator.copy(path, target, "DeepSpeed made room for as many tokens")
    elif kind == "DeepSpeed":
        translator.put(target, _DEEPSPEED_TOKENS, translator.position(path))
