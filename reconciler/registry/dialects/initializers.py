"""The `initializer` of an Aviary model: which library loaded it and how. vLLM, or llama.cpp itself, loads it today."""

from collections.abc import Mapping
from difflib import get_close_matches

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.llama_cpp_python import translate_llama_arguments
from reconciler.registry.dialects.loading_arguments import translate_dtype, translate_loading_arguments
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_TRANSFORMERS = frozenset({"DeepSpeed", "DeviceMap", "SingleDevice"})
_TYPES = _TRANSFORMERS | {"LlamaCpp", "TextGenerationInference"}
_VLLM = "Vllm"
LLAMA_CPP = "LlamaCpp"

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
}
_FILE = "model_filename"


def translate_initializer(translator: Translator, source: KeyPath, *, vllm: bool = False) -> str:
    """Carry the initializer at `source` and return its type, empty without one. `vllm`: it may be `Vllm` as well."""
    kind = str(translator.get(*source, "type", default=""))
    if kind == LLAMA_CPP:
        _translate_llama_cpp(translator, source)
        return kind
    _translate_type(translator, (*source, "type"), _TYPES | {_VLLM} if vllm else _TYPES)
    # Arguments for loading came last in what transformers was given, so that they win over `dtype` beside them.
    translate_loading_arguments(translator, (*source, "from_pretrained_kwargs"))
    translate_loading_arguments(translator, (*source, "model_init_kwargs"))
    translate_dtype(translator, (*source, "dtype"))
    if kind in _TRANSFORMERS and "dtype" not in translator.value_at(ENGINE_KWARGS):
        translator.put((*ENGINE_KWARGS, "dtype"), _DEFAULT_DTYPE, translator.position(source))
    _drop_obsolete(translator, source)
    if translator.has((*source, _FILE)):
        translator.drop((*source, _FILE), "vLLM loads every file of the model")
    _translate_max_tokens(translator, (*source, "max_tokens"), kind)
    return kind


def _translate_llama_cpp(translator: Translator, source: KeyPath) -> None:
    """A file of llama.cpp. Before GGUF (August 2023) they had another form, which llama.cpp reads no more."""
    path, file = (*source, "type"), str(translator.get(*source, _FILE, default=""))
    if file.endswith(".gguf"):
        translator.map(path, ("engine_config", "type"), "LlamaCppEngine", "llama.cpp itself runs it")
        translator.copy((*source, _FILE), ("engine_config", "gguf_file"))
    else:
        named = f"{quoted(file)} is no GGUF file" if file else "no `model_filename` says which file is meant"
        hint = "name a GGUF file of the model, or write the id of its original weights and another initializer"
        translator.refuse(path, "unsupported-engine", f"{named}, and llama.cpp reads no other any more", hint)
        translator.put(("engine_config", "type"), "LlamaCppEngine", translator.position(path))
        if file:
            translator.keep((*source, _FILE), "its model is refused")
    translate_llama_arguments(translator, (*source, "model_init_kwargs"))
    for name in translator.keys((*source, "from_pretrained_kwargs")):
        translator.drop((*source, "from_pretrained_kwargs", name), "it is for transformers")
    _drop_obsolete(translator, source)


def _drop_obsolete(translator: Translator, source: KeyPath) -> None:
    for name, reason in _OBSOLETE.items():
        if translator.has((*source, name)):
            translator.drop((*source, name), reason)


def _translate_type(translator: Translator, path: KeyPath, types: frozenset[str]) -> None:
    if not translator.has(path):
        return
    kind, target = str(translator.get(*path)), ("engine_config", "type")
    if kind == _VLLM and _VLLM in types:
        translator.map(path, target, "VLLMEngine")
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
