"""Speculative decoding: arguments of their own in vLLM once, keys of the argument `speculative_config` today."""

from collections.abc import Mapping

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

SPECULATIVE_CONFIG: KeyPath = ("engine_config", "engine_kwargs", "speculative_config")
"""Where it stands in the canonical form."""

_NO_DRAFTS = "nothing makes drafts: neither `speculative_model` nor `enable_prompt_lookup` is given"
_NGRAM_MODEL = "[ngram]"

_SPECULATIVE: Mapping[str, str] = {
    "num_speculative_tokens": "num_speculative_tokens",
    "ngram_prompt_lookup_max": "prompt_lookup_max",
    "max_ngram_size": "prompt_lookup_max",
    "ngram_prompt_lookup_min": "prompt_lookup_min",
}
"""Arguments that are keys of `speculative_config` now."""


def translate_speculation(translator: Translator, source: KeyPath) -> None:
    """Gather the arguments of speculative decoding in `speculative_config`; without what drafts, they meant nothing."""
    lookup, model = (*source, "enable_prompt_lookup"), (*source, "speculative_model")
    target = SPECULATIVE_CONFIG
    drafts = translator.get(*model)
    by_prompt = translator.get(*lookup) is True or drafts == _NGRAM_MODEL
    active = by_prompt or drafts is not None
    if translator.has(lookup):
        if translator.get(*lookup) is True:
            translator.map(lookup, (*target, "method"), "ngram", "looking drafts up in the prompt is this method")
        else:
            translator.keep(lookup, "it turned nothing on")
    if drafts == _NGRAM_MODEL:
        if translator.get(*lookup) is True:
            translator.keep(model, "`enable_prompt_lookup` says it")
        else:
            translator.map(model, (*target, "method"), "ngram", "looking drafts up in the prompt is this method")
    elif drafts is not None and by_prompt:
        message = "`enable_prompt_lookup` and `speculative_model` are two ways to make drafts"
        translator.refuse(model, "given-twice", message, "keep one of them")
    elif drafts is not None:
        translator.copy(model, (*target, "model"), "it is the `model` of `speculative_config` now")
    for name, key in _SPECULATIVE.items():
        path = (*source, name)
        if not translator.has(path):
            continue
        if not active:
            translator.drop(path, _NO_DRAFTS)
        elif key in translator.value_at(target):
            translator.refuse(path, "given-twice", f"`{key}` is given under two names", "keep one of them")
        else:
            translator.copy(path, (*target, key), f"it is in `speculative_config` as `{key}`")
