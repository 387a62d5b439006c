"""What the files of a checkpoint say about it: its configuration and the size of its tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_VALUE_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8.0),
    **dict.fromkeys(("F32", "I32", "U32"), 4.0),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2.0),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 1.0),
}
"""Bytes of one value by its safetensors type."""

_CONTEXT_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
    "model_max_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
"""Keys of a configuration that limit the context; vLLM takes the smallest (`derive_max_model_len_and_key`)."""

_SCALED_ALREADY = ("default", "llama3", "longrope", "su")
"""Kinds of rotary embedding whose factor is in the configured context already, or that have none."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A checkpoint in a folder."""

    config: Mapping[str, Any]
    """The content of `config.json`."""
    values: Mapping[str, int]
    """How many numbers the safetensors files hold, by type; empty where there are none."""

    @property
    def text(self) -> Mapping[str, Any]:
        """The part of the configuration that describes the language model."""
        inner = self.config.get("text_config")
        return inner if isinstance(inner, dict) else self.config

    @property
    def quantized(self) -> bool:
        """Whether the checkpoint is quantized already."""
        return bool(self.config.get("quantization_config") or self.text.get("quantization_config"))

    def size(self, *, float32: bool) -> float | None:
        """Bytes of all tensors once they are loaded, or None where they are not known. vLLM loads 32-bit tensors in 16
        bits unless it is told not to.
        """
        if not self.values or any(kind not in _VALUE_BYTES for kind in self.values):
            return None
        shrunk = {} if float32 else {"F32": 2.0, "F64": 2.0}
        return sum(count * shrunk.get(kind, _VALUE_BYTES[kind]) for kind, count in self.values.items())

    def context(self) -> int | None:
        """The most tokens the model was made for, or None where the configuration does not say."""
        limits = [found for key in _CONTEXT_KEYS if (found := _count(self.text.get(key))) is not None]
        if not limits:
            return None
        limit = float(min(limits))
        rope = self.text.get("rope_scaling") or self.text.get("rope_parameters") or {}
        kind = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, dict) else None
        if kind is None or any(isinstance(part, dict) for part in rope.values()):
            return None
        # Gemma 3 states its context with the factor in it.
        if kind not in _SCALED_ALREADY and "gemma3" not in str(self.config.get("model_type")):
            if kind == "yarn":
                limit = _number(rope.get("original_max_position_embeddings"), limit)
            limit *= _number(rope.get("factor"), 1.0)
        return int(max(limit, _number(self.config.get("model_max_length"), 0.0)))

    def heads(self) -> int | None:
        """Attention heads, which tensor parallel workers share."""
        return _count(self.text.get("num_attention_heads", self.text.get("n_head")))

    def cache_size(self, tokens: int, workers: int, value_bytes: float) -> float | None:
        """Bytes that one sequence of so many tokens takes at least in the KV caches of so many tensor parallel workers,
        or None where the configuration does not say. What only an implementation knows is counted as nothing.
        """
        numbers = self._cached_numbers(workers)
        if numbers is None:
            return None
        return sum(numbers * value_bytes * reach for reach in self._reaches(tokens))

    def _cached_numbers(self, workers: int) -> int | None:
        """Numbers that one layer keeps for one token, on all workers together."""
        text, heads = self.text, self.heads()
        rank, rotary = _count(text.get("kv_lora_rank")), _count(text.get("qk_rope_head_dim"))
        if rank is not None and rotary is not None:
            # Latent attention keeps one compressed vector, on every worker the same.
            return (rank + rotary) * workers
        size, hidden = _count(text.get("head_dim")), _count(text.get("hidden_size", text.get("n_embd")))
        if size is None and heads is not None and hidden is not None:
            size = hidden // heads
        cached = _count(text.get("num_key_value_heads", heads))
        if size is None or cached is None:
            return None
        # With fewer heads than workers, several workers keep the same one.
        return 2 * max(cached, workers) * size

    def _reaches(self, tokens: int) -> Iterator[int]:
        """How many tokens each layer that has a cache keeps."""
        text = self.text
        short = min(tokens, _count(text.get("sliding_window")) or tokens)
        kinds = text.get("layer_types")
        if isinstance(kinds, list):
            reach = {"full_attention": tokens, "sliding_attention": short, "chunked_attention": 0}
            yield from (reach.get(str(kind), 0) for kind in kinds)
            return
        # Without a list any layer may be one that looks back no further than the window.
        every = tokens if text.get("use_sliding_window") is False else short
        yield from [every] * (_count(text.get("num_hidden_layers", text.get("n_layer"))) or 0)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else default
