"""`generate_kwargs` of transformers, text-generation-inference and llama.cpp, as the request fields of today."""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

GENERATE_KWARGS: KeyPath = ("engine_config", "generation", "generate_kwargs")
"""Where they stand in the canonical form."""

AVIARY_DEFAULTS: Mapping[str, Any] = {"max_tokens": 256, "top_p": 0.92, "top_k": 0}
"""What Aviary 0.0.1 to 0.1.2 took in place of absent `generate_kwargs` (`do_sample` beside them)."""

_RENAMED = {
    "max_new_tokens": "max_tokens",
    "min_new_tokens": "min_tokens",
    "ignore_eos_token": "ignore_eos",
}

_SAME = (
    "max_tokens",
    "min_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
    "ignore_eos",
    "logprobs",
)

_SAMPLING = ("temperature", "top_p", "top_k", "min_p")

_GREEDY = "a model that does not sample ignores it"

_ENDS = "the tokenizer says it"
_MANY = "a request asks for several answers itself, with `n`"

_OBSOLETE: Mapping[str, str] = {
    "typical_p": "vLLM has no such way of sampling",
    "watermark": "vLLM puts no watermark in its answers",
    "num_beams": "vLLM searches with beams only where a request asks for it",
    "early_stopping": "it was for searches with beams",
    "length_penalty": "it was for searches with beams",
    "return_token_type_ids": "vLLM tokenises the prompt itself",
    "add_special_tokens": "vLLM tokenises the prompt itself",
    "num_return_sequences": _MANY,
    "best_of": _MANY,
    "return_full_text": "an answer never holds its prompt",
    "echo": "an answer never holds its prompt",
    "eos_token": _ENDS,
    "eos_token_id": _ENDS,
    "pad_token": _ENDS,
    "pad_token_id": _ENDS,
    "max_length": "`max_total_tokens` limits prompt and answer together",
    "use_cache": "vLLM always keeps its cache of keys and values",
}
"""Arguments that mean nothing to a request of today, and why."""


def translate_generate_kwargs(translator: Translator, source: KeyPath, *, samples_by_default: bool) -> None:
    """Carry each argument of the mapping at `source` as a default of every request.

    `samples_by_default` is what the engine did without `do_sample`: text-generation-inference sampled, transformers
    did not. Where two names for a limit are given, the first one written counts.
    """
    for name in (*_SAME, *_RENAMED, *_OBSOLETE):
        translator.known.add((*source, name))
    samples = _translate_do_sample(translator, source, samples_by_default)
    for name in translator.keys(source):
        path, target = (*source, name), _RENAMED.get(name, name)
        if name == "do_sample" or path not in translator.known or not translator.has(path):
            continue
        if name in _OBSOLETE:
            translator.drop(path, _OBSOLETE[name])
        elif not samples and name in _SAMPLING:
            translator.drop(path, _GREEDY)
        elif target in translator.value_at(GENERATE_KWARGS):
            message = f"`{target}` is given already, under another name"
            translator.drop(path, message)
        elif name in _RENAMED:
            translator.copy(path, (*GENERATE_KWARGS, target), f"`{target}` is its name now")
        else:
            translator.copy(path, (*GENERATE_KWARGS, target))


def write_generate_defaults(translator: Translator, source: KeyPath, defaults: Mapping[str, Any]) -> None:
    """Write what the format took in place of absent `generate_kwargs`."""
    for name, value in defaults.items():
        translator.put((*GENERATE_KWARGS, name), value, translator.position(source))


def drop_generate_kwargs(translator: Translator, source: KeyPath, reason: str) -> None:
    """Say of each argument why it never had an effect."""
    for name in translator.keys(source):
        if translator.has((*source, name)):
            translator.drop((*source, name), reason)


def _translate_do_sample(translator: Translator, source: KeyPath, default: bool) -> bool:
    """Whether the model samples. One that does not takes the likeliest token: temperature 0."""
    path, target = (*source, "do_sample"), (*GENERATE_KWARGS, "temperature")
    given = translator.get(*path)
    samples = default if given is None else given
    if samples is False:
        if translator.has(path):
            translator.map(path, target, 0, "temperature 0 takes the likeliest token")
        else:
            translator.put(target, 0, translator.position(source))
        return False
    if samples is True and translator.has(path):
        translator.drop(path, "vLLM samples wherever the temperature is not 0")
    return True
