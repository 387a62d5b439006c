"""The limits of vLLM's batches against each other and against the context (`SchedulerConfig.verify_max_model_len`)."""

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.engine_spec import total_tokens
from reconciler.registry.registry import ModelEntry

_BATCH = "max_num_batched_tokens"


def context_fits_batch(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Without chunked prefill a whole prompt goes into one batch: vLLM refuses a batch smaller than the context."""
    kwargs = entry.spec.engine_config.engine_kwargs
    batch, tokens = _count(kwargs.get(_BATCH)), total_tokens(entry.spec.engine_config)
    if batch is not None and tokens is not None and batch < tokens and kwargs.get("enable_chunked_prefill") is False:
        message = f"`{_BATCH}` is {batch}, less than `max_total_tokens`, {tokens}, and chunked prefill is off"
        hint = f"write `{_BATCH}: {tokens}`, or remove `enable_chunked_prefill`"
        yield Diagnostic(_place(entry, _BATCH), "context-fits-batch", message, hint)


def sequences_fit_batch(entry: ModelEntry) -> Iterator[Diagnostic]:
    """A batch holds at least one token of each sequence: vLLM refuses `max_num_batched_tokens` below `max_num_seqs`."""
    kwargs = entry.spec.engine_config.engine_kwargs
    batch, sequences = _count(kwargs.get(_BATCH)), _count(kwargs.get("max_num_seqs"))
    if batch is not None and sequences is not None and batch < sequences:
        message = f"`{_BATCH}` is {batch}, less than `max_num_seqs`, {sequences}"
        yield Diagnostic(_place(entry, _BATCH), "sequences-fit-batch", message, f"write at least {sequences}")


def long_prefill_fits_context(entry: ModelEntry) -> Iterator[Diagnostic]:
    """A prompt that counts as long is no longer than the context: vLLM refuses a higher threshold."""
    threshold = _count(entry.spec.engine_config.engine_kwargs.get("long_prefill_token_threshold"))
    tokens = total_tokens(entry.spec.engine_config)
    if threshold is not None and tokens is not None and threshold > tokens:
        message = f"`long_prefill_token_threshold` is {threshold}, more than `max_total_tokens`, {tokens}"
        place = _place(entry, "long_prefill_token_threshold")
        yield Diagnostic(place, "long-prefill-fits-context", message, f"write at most {tokens}")


BATCH_CHECKS: tuple[ModelCheck, ...] = (context_fits_batch, sequences_fit_batch, long_prefill_fits_context)
"""The checks of this module."""


def _count(value: Any) -> int | None:
    """The number, or None where there is none or another check has something to say about it."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _place(entry: ModelEntry, name: str) -> Position:
    return entry.position(("engine_config", "engine_kwargs", name))
