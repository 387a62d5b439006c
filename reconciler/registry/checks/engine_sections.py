"""What of a model file belongs to which type of engine."""

from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.choices import VLLM_TYPES, EngineType
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry
from reconciler.registry.validation import dotted

_ENGINE: KeyPath = ("engine_config",)
_SAAS: KeyPath = (*_ENGINE, "saas")
_THEIRS = "the service decides it; remove it"
_ONE_PROCESS = "llama.cpp is one process; remove it"

_NOT_WITH_SAAS: Mapping[KeyPath, str] = {
    (*_ENGINE, "engine_kwargs"): "write `saas.options` for LiteLLM, and request defaults in `generation`",
    (*_ENGINE, "hf_model_id"): "write `saas.model`",
    **dict.fromkeys(
        ((*_ENGINE, key) for key in ("tokenizer_id", "max_total_tokens", "full_context", "memory", "lora_config")),
        _THEIRS,
    ),
    **dict.fromkeys(((*_ENGINE, key) for key in ("s3_mirror_config", "gcs_mirror_config")), "it has its own weights"),
    (*_ENGINE, "generation", "prompt_format"): _THEIRS,
    (*_ENGINE, "lora_config"): "the service has its own; write one file for each",
    ("scaling_config",): "it has no workers here; write `deployment_config.ray_actor_options`",
}
_NOT_WITH_LLAMA_CPP: Mapping[KeyPath, str] = {
    (*_ENGINE, "tokenizer_id"): "the GGUF file holds the tokenizer; remove it",
    (*_ENGINE, "memory"): "it is for vLLM's arithmetic; remove it",
    (*_ENGINE, "lora_config"): "only vLLM serves adapters beside a model; remove it",
    ("scaling_config", "placement_strategy"): _ONE_PROCESS,
    ("scaling_config", "bundles"): "write `num_workers` and the resources of each",
}
_OTHERS: Mapping[EngineType, Mapping[KeyPath, str]] = {
    **{kind: {(*_ENGINE, "gguf_file"): "write `type: LlamaCppEngine`"} for kind in VLLM_TYPES},
    EngineType.LLAMA_CPP: _NOT_WITH_LLAMA_CPP,
    EngineType.SAAS: {**_NOT_WITH_SAAS, (*_ENGINE, "gguf_file"): "it has its own weights"},
}
"""Keys that a type has no use for, and what to do about each."""


def key_of_another_engine(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Every key is one that the type of engine uses: none is ignored."""
    kind = entry.spec.engine_config.type
    for path, hint in _OTHERS[kind].items():
        if path in entry.positions:
            message = f"`{dotted(path)}` means nothing for a `{kind}`"
            yield Diagnostic(entry.position(path), rule_name(key_of_another_engine), message, hint)


def saas_section(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A `SaaSEngine` says in `saas` which service it asks, and no other engine has that section."""
    engine = entry.spec.engine_config
    if engine.type is EngineType.SAAS and engine.saas is None:
        message, hint = "nothing says which service is asked", "write `saas` with `base_url` and `model`"
        yield Diagnostic(entry.position((*_ENGINE, "type")), rule_name(saas_section), message, hint)
    elif engine.type is not EngineType.SAAS and engine.saas is not None:
        message = f"a `{engine.type}` asks no service"
        yield Diagnostic(entry.position(_SAAS), rule_name(saas_section), message, "write `type: SaaSEngine`")


def transformers_implementation(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A `TransformersEngine` sets `model_impl` itself."""
    engine = entry.spec.engine_config
    if engine.type is EngineType.TRANSFORMERS and "model_impl" in engine.engine_kwargs:
        position = entry.position((*_ENGINE, "engine_kwargs", "model_impl"))
        message = "`model_impl` is what `type: TransformersEngine` sets to `transformers`"
        hint = "remove it, or write `type: VLLMEngine`"
        yield Diagnostic(position, rule_name(transformers_implementation), message, hint)


SECTION_CHECKS: tuple[ModelCheck, ...] = (
    key_of_another_engine,
    saas_section,
    transformers_implementation,
)
"""The checks of this module."""
