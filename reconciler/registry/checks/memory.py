"""Whether a model fits the GPUs of its workers: weights plus KV cache against what vLLM may use.

Only what is certain is counted: activations, CUDA graphs and everything a configuration leaves open come on top. So
what is refused here cannot start, and what passes may still be tight.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.engine_spec import total_tokens
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry
from reconciler.registry.tables import engine_arguments

GPU_GIGABYTES = {
    "P4": 8.0,
    "K80": 12.0,
    "P100": 17.1,
    "T4": 16.1,
    "V100": 34.4,
    "A10": 24.2,
    "A10G": 24.2,
    "L4": 24.2,
    "L40S": 48.3,
    "A100": 85.9,
    "A100-40G": 42.9,
    "A100-80G": 85.9,
    "H100": 85.6,
    "H20": 102.7,
    "H200": 150.8,
    "RTX-PRO-6000": 102.7,
    "B200": 192.3,
    "AMD-Instinct-MI210": 68.7,
    "AMD-Instinct-MI250X-MI250": 68.7,
    "AMD-Instinct-MI300X-OAM": 206.2,
}
"""Memory in units of 10^9 bytes by accelerator type, as drivers report it; of several sizes under one name the largest
common one."""

_CACHE_BYTES = {"auto": 2.0, "float16": 2.0, "half": 2.0, "bfloat16": 2.0, "float32": 4.0, "float": 4.0}
_HIDDEN_ARGUMENTS = (
    "cpu_offload_gb",
    "data_parallel_size",
    "decode_context_parallel_size",
    "hf_overrides",
    "kv_cache_memory_bytes",
    "offload_backend",
)
"""Engine arguments that change the arithmetic in ways that are not followed here."""


@dataclass(frozen=True, slots=True)
class _Need:
    """What a replica needs and has, in bytes."""

    weights: float
    sequence: float
    tokens: int
    per_token: float | None
    """Where every token takes the same."""
    there_is: float
    budget: str

    @property
    def sequences(self) -> float:
        """How many sequences of full length the KV cache holds."""
        room = self.there_is - self.weights
        return room / self.sequence if self.sequence else (float("inf") if room >= 0 else -1.0)

    def sum(self, count: int) -> str:
        """The arithmetic for so many sequences."""
        times = f" x {count} sequences" if count > 1 else ""
        cache = "" if self.per_token is None else f" ({self.per_token:.0f} bytes x {self.tokens} tokens{times})"
        total = self.weights + count * self.sequence
        return (
            f"weights {_gb(self.weights)} + KV cache {_gb(count * self.sequence)}{cache} = {_gb(total)}, "
            f"and there is {self.budget} = {_gb(self.there_is)}"
        )


def fits_gpu_memory(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The weights and the KV cache of one request of full length fit the memory that vLLM may use on the workers' GPUs.

    Checked where the accelerator type is given and the size is known: from `engine_config.memory`, or from the files
    when `hf_model_id` is an absolute path on this machine.
    """
    need = _need(entry)
    if need is not None and need.sequences < 1:
        message = f"the model does not fit its GPUs: {need.sum(1)}"
        hint = "take more workers or larger GPUs, a quantized checkpoint, or lower `max_total_tokens`"
        yield Diagnostic(_place(entry), "fits-gpu-memory", message, hint)


def few_full_sequences(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The KV cache holds two requests of full length at least: with less, requests wait for each other."""
    need = _need(entry)
    if need is not None and 1 <= need.sequences < 2:
        message = f"the KV cache holds one sequence of full length and not two: {need.sum(2)}"
        hint = "lower `max_total_tokens`, or take more workers or larger GPUs"
        yield Diagnostic(_place(entry), "few-full-sequences", message, hint, Severity.WARNING)


MEMORY_CHECKS: tuple[ModelCheck, ...] = (fits_gpu_memory, few_full_sequences)
"""The checks of this module."""


def _need(entry: ModelEntry) -> _Need | None:
    scaling, kwargs = entry.spec.scaling_config, entry.spec.engine_config.engine_kwargs
    utilization = kwargs.get("gpu_memory_utilization", engine_arguments()["gpu_memory_utilization"].default)
    asked = {name for bundle in scaling.bundles or [scaling.resources_per_worker] for name in bundle}
    types = {name.removeprefix("accelerator_type:") for name in asked}
    sizes = [GPU_GIGABYTES[name] for name in types if name in GPU_GIGABYTES]
    if not sizes or not scaling.num_gpus_per_worker or not isinstance(utilization, int | float):
        return None
    if any(kwargs.get(name) for name in _HIDDEN_ARGUMENTS):
        return None
    weights, tokens = _weights(entry), total_tokens(entry.spec.engine_config)
    if tokens is None and entry.weights is not None:
        tokens = entry.weights.context()
    if weights is None or tokens is None:
        return None
    per_token, sequence = _cache(entry, tokens)
    return _Need(
        weights,
        sequence,
        tokens,
        per_token,
        scaling.num_workers * max(sizes) * 1e9 * utilization,
        f"{scaling.num_workers} x {max(sizes):g} GB x {utilization:g}",
    )


def _weights(entry: ModelEntry) -> float | None:
    """Bytes of the weights, as the file gives them or as the checkpoint's headers say."""
    engine = entry.spec.engine_config
    if engine.memory is not None:
        return engine.memory.weights_gb * 1e9
    # What quantizes while it loads makes the weights smaller than their files.
    shrinks = engine.engine_kwargs.get("quantization") is not None and not (entry.weights and entry.weights.quantized)
    if (
        entry.weights is None
        or shrinks
        or engine.engine_kwargs.get("load_format", "auto") not in ("auto", "safetensors")
    ):
        return None
    return entry.weights.size(float32=engine.engine_kwargs.get("dtype") in ("float32", "float"))


def _cache(entry: ModelEntry, tokens: int) -> tuple[float | None, float]:
    """Bytes of KV cache for one token, where each takes the same, and for one sequence of full length."""
    engine = entry.spec.engine_config
    if engine.memory is not None:
        per_token = float(engine.memory.kv_bytes_per_token)
        return per_token, per_token * tokens
    value_bytes = _value_bytes(entry)
    stages = engine.engine_kwargs.get("pipeline_parallel_size", 1)
    if entry.weights is None or value_bytes is None or not isinstance(stages, int) or stages < 1:
        return None, 0.0
    workers = max(entry.spec.scaling_config.num_workers // stages, 1)
    one, sequence = (entry.weights.cache_size(count, workers, value_bytes) for count in (1, tokens))
    if one is None or sequence is None:
        return None, 0.0
    return (one if one * tokens == sequence else None), sequence


def _value_bytes(entry: ModelEntry) -> float | None:
    """Bytes of one number in the KV cache."""
    kwargs, weights = entry.spec.engine_config.engine_kwargs, entry.weights
    kind = str(kwargs.get("kv_cache_dtype", "auto"))
    if kind.startswith(("fp8", "int8")):
        return 1.0
    if kind == "auto" and weights is not None and weights.quantized:
        # A quantized checkpoint may bring scales for a cache of 8 bits.
        return 1.0
    if kind == "auto" and kwargs.get("dtype") in ("float32", "float"):
        return 4.0
    return _CACHE_BYTES.get(kind)


def _place(entry: ModelEntry) -> Position:
    path: KeyPath = ("engine_config", "max_total_tokens")
    return entry.position(path if path in entry.positions else ("scaling_config", "num_workers"))


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
