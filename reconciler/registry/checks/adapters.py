"""Adapters (LoRA)."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.registry import ModelEntry

_ADAPTER_ARGUMENTS = (
    "default_mm_loras",
    "fully_sharded_loras",
    "lora_dtype",
    "lora_target_modules",
    "max_cpu_loras",
    "max_lora_rank",
    "max_loras",
    "specialize_active_lora",
)


def adapters_enabled(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Arguments for adapters come with `enable_lora: true`: without it vLLM ignores them and serves no adapter."""
    kwargs = entry.spec.engine_config.engine_kwargs
    if kwargs.get("enable_lora"):
        return
    for name in kwargs:
        if name in _ADAPTER_ARGUMENTS:
            position = entry.position(("engine_config", "engine_kwargs", name))
            message = f"`{name}` has no effect without `enable_lora: true`"
            hint = "write `enable_lora: true` beside it, or remove it"
            yield Diagnostic(position, "adapters-enabled", message, hint, Severity.WARNING)
