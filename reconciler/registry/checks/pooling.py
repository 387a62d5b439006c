"""How a model makes one vector of a text: `engine_kwargs.pooler_config` (`vllm.config.PoolerConfig` 0.29)."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.choices import EngineType
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry

_PATH: KeyPath = ("engine_config", "engine_kwargs", "pooler_config")

_KEYS = (
    "dimensions",
    "enable_chunked_processing",
    "logit_mean",
    "logit_sigma",
    "max_embed_len",
    "pooling_type",
    "returned_token_ids",
    "seq_pooling_type",
    "step_tag_id",
    "task",
    "tok_pooling_type",
    "use_activation",
)
_RENAMED = dict.fromkeys(("normalize", "softmax", "activation"), "`use_activation` is its name now")
_SEQUENCE = ("CLS", "LAST", "MEAN")
_TOKEN = ("ALL", "STEP")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "pooling_type": (*_SEQUENCE, *_TOKEN),
    "seq_pooling_type": _SEQUENCE,
    "tok_pooling_type": _TOKEN,
}


def pooler_config(entry: ModelEntry) -> Iterable[Diagnostic]:
    """`pooler_config` has the keys and values that vLLM takes: `pooling_type` is `MEAN`, `CLS` or `LAST`, and
    `use_activation` says whether vectors have the norm 1. Without it the model's own files decide."""
    given = entry.spec.engine_config.engine_kwargs.get("pooler_config")
    for key, value in given.items() if isinstance(given, dict) else ():
        position = entry.position((*_PATH, key))
        if key not in _KEYS:
            near = get_close_matches(str(key), _KEYS, n=1)
            hint = _RENAMED.get(key) or (f"did you mean {quoted(near[0])}?" if near else f"known are {_listed(_KEYS)}")
            yield Diagnostic(position, rule_name(pooler_config), f"unknown key {quoted(key)}", hint)
        elif key in _CHOICES and value is not None and value not in _CHOICES[key]:
            message = f"`{key}` cannot be {quoted(value)}"
            yield Diagnostic(position, rule_name(pooler_config), message, f"it takes {_listed(_CHOICES[key])}")


def pooling_of_text(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Only an embedding model pools."""
    engine = entry.spec.engine_config
    if "pooler_config" in engine.engine_kwargs and engine.type is not EngineType.EMBEDDING:
        message = "`pooler_config` is for a model that answers with vectors or scores"
        hint = "write `type: EmbeddingEngine`, or remove it"
        yield Diagnostic(entry.position(_PATH), rule_name(pooling_of_text), message, hint)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


POOLING_CHECKS: tuple[ModelCheck, ...] = (pooler_config, pooling_of_text)
"""The checks of this module."""
