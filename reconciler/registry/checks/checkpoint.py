"""What a model file asks of its checkpoint, against what the checkpoint itself says, where it is on this machine."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.engine_spec import total_tokens
from reconciler.registry.registry import ModelEntry

_ALLOWED = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"


def context_of_weights(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The context is no longer than the weights were made for: vLLM refuses to start with more.

    Checked where `hf_model_id` is an absolute path on this machine.
    """
    engine = entry.spec.engine_config
    limit = None if entry.weights is None else entry.weights.context()
    if limit is None or engine.engine_kwargs.get("hf_overrides") or _ALLOWED in engine.runtime_env.env_vars:
        return
    tokens = total_tokens(engine)
    if tokens is not None and tokens > limit:
        message = f"`max_total_tokens` is {tokens}, and the `config.json` of the weights allows {limit}"
        position = entry.position(("engine_config", "max_total_tokens"))
        yield Diagnostic(position, "context-of-weights", message, f"write {limit} or less")


def heads_divide_workers(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The tensor parallel workers share the attention heads evenly: vLLM refuses to start otherwise.

    Checked where `hf_model_id` is an absolute path on this machine.
    """
    heads = None if entry.weights is None else entry.weights.heads()
    stages = entry.spec.engine_config.engine_kwargs.get("pipeline_parallel_size", 1)
    workers = entry.spec.scaling_config.num_workers
    if heads is None or not isinstance(stages, int) or stages < 1 or workers % stages:
        return
    if heads % (workers // stages):
        message = f"{workers // stages} tensor parallel workers cannot share {heads} attention heads evenly"
        position = entry.position(("scaling_config", "num_workers"))
        yield Diagnostic(position, "heads-divide-workers", message, f"take a number of workers that divides {heads}")


CHECKPOINT_CHECKS: tuple[ModelCheck, ...] = (context_of_weights, heads_divide_workers)
"""The checks of this module."""
