"""The token limits of text-generation-inference, which Aviary 0.1.0 to 0.2.0 batched requests by."""

from collections.abc import Mapping

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

_MAX_TOTAL_TOKENS = 2048
_MAX_INPUT_LENGTH = 1024
_MAX_BATCH_PREFILL_TOKENS = 4096
"""What the limits were where a file gave none."""

_MOST_SEQUENCES = 1024
"""vLLM's highest default for `max_num_seqs`, which may not be more than the tokens of a batch."""

_OBSOLETE: Mapping[str, str] = {
    "max_batch_total_tokens": "vLLM measures itself how many tokens fit in the GPU's memory",
    "max_waiting_tokens": "vLLM adds waiting requests to the batch at every step",
    "max_iterations_curr_batch": "vLLM adds waiting requests to the batch at every step",
    "waiting_served_ratio": "vLLM adds waiting requests to the batch at every step",
}


def translate_token_limits(translator: Translator, source: KeyPath) -> None:
    """Carry the limits in the section at `source`, with the values that were implied where one is not given."""
    _check_order(translator, source)
    total, target = (*source, "max_total_tokens"), ("engine_config", "max_total_tokens")
    if translator.has(total):
        translator.copy(total, target)
    else:
        translator.put(target, _MAX_TOTAL_TOKENS, translator.position(source))
    _translate_prefill(translator, source)
    length = (*source, "max_input_length")
    if translator.has(length):
        limit = ("engine_config", "generation", "max_input_tokens")
        translator.copy(length, limit, "`max_input_tokens` is its name now")
    for name, reason in _OBSOLETE.items():
        if translator.has((*source, name)):
            translator.drop((*source, name), reason)


def _translate_prefill(translator: Translator, source: KeyPath) -> None:
    path, target = (*source, "max_batch_prefill_tokens"), (*ENGINE_KWARGS, "max_num_batched_tokens")
    if translator.has(path):
        translator.copy(path, target, "it is the most tokens that vLLM computes at one step")
    else:
        translator.put(target, _MAX_BATCH_PREFILL_TOKENS, translator.position(source))
    tokens = _number(translator, path, _MAX_BATCH_PREFILL_TOKENS)
    if tokens < _MOST_SEQUENCES:
        translator.put((*ENGINE_KWARGS, "max_num_seqs"), tokens, translator.position(path))


def _check_order(translator: Translator, source: KeyPath) -> None:
    """Report limits that contradict each other, which Aviary refused too."""
    prefill = (*source, "max_batch_prefill_tokens")
    prefill_tokens = _number(translator, prefill, _MAX_BATCH_PREFILL_TOKENS)
    length = (*source, "max_input_length")
    _check_at_most(translator, length, _number(translator, length, _MAX_INPUT_LENGTH), prefill, prefill_tokens)
    batch = (*source, "max_batch_total_tokens")
    if translator.has(batch):
        batch_tokens = _number(translator, batch, 0)
        _check_at_most(translator, prefill, prefill_tokens, batch, batch_tokens)
        total = (*source, "max_total_tokens")
        _check_at_most(translator, total, _number(translator, total, _MAX_TOTAL_TOKENS), batch, batch_tokens)


def _check_at_most(translator: Translator, path: KeyPath, tokens: int, limit_path: KeyPath, limit: int) -> None:
    if tokens > limit:
        position = translator.position(path if translator.has(path) else limit_path)
        message = f"`{path[-1]}` is {tokens}, more than `{limit_path[-1]}`, {limit}"
        translator.report(position, "token-limits", message, f"raise `{limit_path[-1]}`")


def _number(translator: Translator, path: KeyPath, default: int) -> int:
    value = translator.get(*path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
