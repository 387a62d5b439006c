"""The engine of an `LLMConfig`: its arguments, and those that have a place of their own in the canonical form."""

from collections.abc import Mapping

from reconciler.registry.dialects.engine_arguments import translate_engine_kwargs
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.dialects.vllm_engine import DEFAULT_CONTEXT, ENGINE
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_ARGUMENTS: KeyPath = ("engine_kwargs",)
_NAMES = ("vLLM", "VLLMEngine")
_EARLY = ("max_request_context_length", "tensor_parallelism", "json_mode", "input_modality")
"""Keys that only the `LLMConfig` of 2024 had."""

_HANDLED = frozenset(
    {
        "max_model_len",
        "tensor_parallel_size",
        "data_parallel_size",
        "tokenizer",
        "runner",
        "distributed_executor_backend",
        "disable_log_stats",
    }
)
_OBSOLETE: Mapping[str, str] = {
    "distributed_executor_backend": "Ray Serve chooses the executor",
    "disable_log_stats": "the registry always has Ray Serve report the engine's metrics",
}


def translate_llm_engine(translator: Translator) -> None:
    """Carry `llm_engine`, the limit of tokens, the degree of parallelism and `engine_kwargs`."""
    engine = translator.get("llm_engine")
    if engine in _NAMES:
        reason = None if engine == "VLLMEngine" else "its name in the registry"
        translator.map(("llm_engine",), (*ENGINE, "type"), "VLLMEngine", reason)
    elif engine is not None:
        message = f"the engine {quoted(engine)} is not served"
        translator.refuse(("llm_engine",), "not-a-choice", message, "write `vLLM`")
    _translate_context(translator)
    _translate_workers(translator)
    _translate_runner(translator)
    if translator.has((*ENGINE, "tokenizer_id")) or "tokenizer_id" in translator.value_at(ENGINE):
        if translator.has((*_ARGUMENTS, "tokenizer")):
            message = "`tokenizer` and `tokenizer_source` are two names for the same thing"
            translator.refuse((*_ARGUMENTS, "tokenizer"), "given-twice", message, "keep one of them")
    else:
        translator.copy((*_ARGUMENTS, "tokenizer"), (*ENGINE, "tokenizer_id"), "it has a key of its own")
    for name, reason in _OBSOLETE.items():
        if translator.has((*_ARGUMENTS, name)):
            translator.drop((*_ARGUMENTS, name), reason)
    translate_engine_kwargs(translator, _ARGUMENTS, handled=_HANDLED)


def _translate_context(translator: Translator) -> None:
    """The limit of tokens. Without one, 2024's took 2048, and `ray.serve.llm` takes the model's own."""
    early, modern = ("max_request_context_length",), (*_ARGUMENTS, "max_model_len")
    target = (*ENGINE, "max_total_tokens")
    if translator.has(early) and translator.has(modern):
        message = "`max_model_len` and `max_request_context_length` are two names for the same thing"
        translator.refuse(modern, "given-twice", message, "keep one of them")
    translator.copy(early, target, "it is `max_total_tokens`")
    if translator.has(modern) and not translator.decided(modern):
        translator.copy(modern, target, "it is `max_total_tokens`")
    if translator.has(early) or translator.has(modern):
        return
    if any(translator.has((key,)) for key in _EARLY):
        translator.put(target, DEFAULT_CONTEXT, translator.position(()))
    else:
        translator.put((*ENGINE, "full_context"), True, translator.position(()))


def _translate_workers(translator: Translator) -> None:
    """The workers of a replica: tensor parallel size times pipeline parallel size."""
    early, modern = ("tensor_parallelism", "degree"), (*_ARGUMENTS, "tensor_parallel_size")
    target = ("scaling_config", "num_workers")
    stages = translator.get(*_ARGUMENTS, "pipeline_parallel_size", default=1)
    given = [path for path in (modern, early) if translator.has(path)]
    for path in given[1:]:
        message = "`tensor_parallel_size` and `tensor_parallelism.degree` are two names for the same thing"
        translator.refuse(path, "given-twice", message, "keep one of them")
    if not _is_count(stages):
        stages = 1
    if given and _is_count(translator.get(*given[0])):
        workers = translator.get(*given[0]) * stages
        reason = "one worker for each GPU" if stages == 1 else "times `pipeline_parallel_size`: one worker for each GPU"
        translator.map(given[0], target, workers, reason)
    elif given:
        translator.copy(given[0], target)
    else:
        translator.put(target, stages, translator.position(_ARGUMENTS))
    copies = (*_ARGUMENTS, "data_parallel_size")
    if translator.get(*copies) == 1:
        translator.keep(copies, "1 is one copy of the model in a replica, as always")
    elif translator.has(copies):
        message = "one replica holds one copy of the model"
        hint = "remove it, and multiply `min_replicas` and `max_replicas` by it"
        translator.refuse(copies, "data-parallel", message, hint)


def _translate_runner(translator: Translator) -> None:
    runner = (*_ARGUMENTS, "runner")
    kind = translator.get(*runner)
    if kind == "pooling":
        translator.map(runner, (*ENGINE, "type"), "EmbeddingEngine", "an embedding model has its own type")
    elif kind in ("auto", "generate"):
        translator.keep(runner, "it is what vLLM does anyway")
    elif kind is not None:
        message = f"the runner {quoted(kind)} is not served: a model generates text or makes embeddings"
        translator.refuse(runner, "unsupported-task", message)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
