"""Arguments for loading a model with transformers or text-generation-inference: a few are vLLM's, most are its own."""

from collections.abc import Mapping

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_CARRIED: Mapping[str, str] = {
    "trust_remote_code": "trust_remote_code",
    "revision": "revision",
    "quantize": "quantization",
}
"""What is an engine argument, and its name in vLLM."""

_OBSOLETE: Mapping[str, str] = {
    "sharded": "`scaling_config.num_workers` says it",
    "use_cache": "vLLM always keeps its cache of keys and values",
    "local_files_only": "a mirror or a path says where the weights are",
}

_GONE_DTYPES = {"int8": "choose a checkpoint in AWQ, GPTQ or FP8, or write `engine_kwargs.quantization`"}


def translate_loading_arguments(translator: Translator, source: KeyPath) -> None:
    """Carry the mapping at `source`. What vLLM has no counterpart for only ever concerned the library that is gone."""
    for name in translator.keys(source):
        path = (*source, name)
        if not translator.has(path):
            continue
        if name in ("dtype", "torch_dtype"):
            translate_dtype(translator, path)
        elif name == "n_ctx":
            translator.copy(path, ("engine_config", "max_total_tokens"), "it is the most tokens of prompt and answer")
        elif name in _CARRIED:
            target = _CARRIED[name]
            translator.copy(path, (*ENGINE_KWARGS, target), None if name == target else "vLLM has this name for it")
        else:
            translator.drop(path, _OBSOLETE.get(name, "only the library that is gone had such an argument"))


def translate_dtype(translator: Translator, source: KeyPath) -> None:
    """Carry the type of the weights. What was carried before stays: arguments for loading came last, and counted."""
    dtype = translator.get(*source)
    if dtype is None:
        return
    if "dtype" in translator.value_at(ENGINE_KWARGS):
        translator.drop(source, "another key gives it, which counted")
        return
    name = str(dtype).removeprefix("torch.")
    if name in _GONE_DTYPES:
        message = f"vLLM does not load weights as {quoted(name)}"
        translator.refuse(source, "engine-argument-values", message, _GONE_DTYPES[name])
    elif name == dtype:
        translator.copy(source, (*ENGINE_KWARGS, "dtype"))
    else:
        translator.map(source, (*ENGINE_KWARGS, "dtype"), name, "vLLM has this name for it")
