"""Arguments of llama-cpp-python's `Llama`, which older systems handed on as they were, as parameters of llama.cpp."""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

DEFAULT_CONTEXT = 512
"""`n_ctx` of a `Llama` that is given none."""

_CONTEXT: KeyPath = ("engine_config", "max_total_tokens")
_SAME = frozenset(
    {
        "embedding",
        "main_gpu",
        "n_batch",
        "n_gpu_layers",
        "n_ubatch",
        "rope_freq_base",
        "rope_freq_scale",
        "swa_full",
        "tensor_split",
        "yarn_attn_factor",
        "yarn_beta_fast",
        "yarn_beta_slow",
        "yarn_ext_factor",
        "yarn_orig_ctx",
    }
)
_RENAMED: Mapping[str, tuple[str, ...]] = {
    "n_threads": ("cpuparams", "n_threads"),
    "n_threads_batch": ("cpuparams_batch", "n_threads"),
}
_GGML_TYPES = {0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 30: "bf16"}
_CHOICES: Mapping[str, tuple[str, Mapping[Any, str]]] = {
    "split_mode": ("split_mode", {0: "none", 1: "layer", 2: "row"}),
    "type_k": ("cache_type_k", _GGML_TYPES),
    "type_v": ("cache_type_v", _GGML_TYPES),
    "pooling_type": ("pooling_type", {-1: "unspecified", 0: "none", 1: "mean", 2: "cls", 3: "last", 4: "rank"}),
    "rope_scaling_type": ("rope_scaling_type", {-1: "unspecified", 0: "none", 1: "linear", 2: "yarn"}),
    "flash_attn": ("flash_attn_type", {True: "enabled", False: "disabled"}),
    # True and False count as 1 and 0.
    "numa": ("numa", {0: "disabled", 1: "distribute", 2: "isolate", 3: "numactl"}),
}
"""Arguments that are choices, and what each value is called by llama.cpp."""

_LOADING = ("use_mmap", "use_mlock")
_LOADED = {(True, False): "mmap", (True, True): "mmap_mlock", (False, False): "none", (False, True): "mlock"}
"""How a file is loaded, by these two."""

_OBSOLETE: Mapping[str, str] = {
    "f16_kv": "`cache_type_k` and `cache_type_v` say it; f16 is the default",
    "last_n_tokens_size": "a request says it, with `repeat_last_n`",
    "logits_all": "llama.cpp computes them where a request asks for logprobs",
    "low_vram": "llama.cpp has no such argument any more",
    "mul_mat_q": "llama.cpp chooses its kernels itself",
    "n_parts": "llama.cpp finds the parts of a model itself",
    "seed": "a request says it, with `seed`",
    "verbose": "llama.cpp's log is in the replica's; `verbosity` says how much",
    "vocab_only": "a model without weights answers nothing",
}
_REFUSED: Mapping[str, tuple[str, str]] = {
    "chat_format": ("has the chat template in its file", "write `generation.prompt_format` for another one"),
    "lora_path": ("is served without adapters", "merge the adapter into the file"),
    "lora_base": ("is served without adapters", "merge the adapter into the file"),
}


def translate_llama_arguments(translator: Translator, source: KeyPath) -> None:
    """Carry the mapping at `source`, as far as its keys have no fate yet, and write the context of a file without."""
    for name in translator.keys(source):
        path = (*source, name)
        if not translator.decided(path) and translator.has(path):
            _translate(translator, path, name)
    if "max_total_tokens" not in translator.value_at(_CONTEXT[:-1]) and not translator.decided((*source, "n_ctx")):
        translator.put(_CONTEXT, DEFAULT_CONTEXT, translator.position(source))


def _translate(translator: Translator, path: KeyPath, name: str) -> None:
    value = translator.get(*path)
    if name == "n_ctx":
        _translate_context(translator, path, value)
    elif name == "tensor_split" and isinstance(value, str):
        parts = [float(part) for part in value.split(",")] if _is_numbers(value) else value
        translator.map(path, (*ENGINE_KWARGS, name), parts, "a list")
    elif name in _SAME:
        translator.copy(path, (*ENGINE_KWARGS, name))
    elif name in _RENAMED:
        translator.copy(path, (*ENGINE_KWARGS, *_RENAMED[name]), "its place in llama.cpp")
    elif name == "offload_kqv":
        translator.map(path, (*ENGINE_KWARGS, "no_kv_offload"), value is False, "llama.cpp says when it is not so")
    elif name in _LOADING:
        mapped, locked = (bool(translator.get(*path[:-1], key, default=key == "use_mmap")) for key in _LOADING)
        translator.map(path, (*ENGINE_KWARGS, "load_mode"), _LOADED[mapped, locked], "llama.cpp has one name for both")
    elif name in _CHOICES:
        _translate_choice(translator, path, name, value)
    elif name in _OBSOLETE:
        translator.drop(path, _OBSOLETE[name])
    elif name in _REFUSED:
        what, hint = _REFUSED[name]
        translator.refuse(path, "unsupported-argument", f"a model of llama.cpp {what}", hint)
    else:
        message = f"llama.cpp has no argument {quoted(name)}"
        translator.refuse(path, "unknown-key", message, "the schema lists its parameters")


def _translate_context(translator: Translator, path: KeyPath, value: Any) -> None:
    if value == 0:
        translator.map(path, ("engine_config", "full_context"), True, "0 is the model's own length")
    else:
        translator.copy(path, _CONTEXT, "it is the most tokens of prompt and answer")


def _translate_choice(translator: Translator, path: KeyPath, name: str, value: Any) -> None:
    target, choices = _CHOICES[name]
    if isinstance(value, str) or (isinstance(value, int | bool) and value in choices):
        said = value if isinstance(value, str) else choices[value]
        translator.map(path, (*ENGINE_KWARGS, target), said, "llama.cpp has this name for it")
    else:
        listed = ", ".join(str(choice) for choice in choices)
        translator.refuse(path, "not-a-choice", f"{quoted(name)} does not take {quoted(value)}", f"it takes {listed}")


def _is_numbers(text: str) -> bool:
    return all(part.strip().replace(".", "", 1).isdigit() for part in text.split(","))
