"""`engine_config` of RayLLM's `TRTLLMEngine` (0.5): TensorRT-LLM, whose models vLLM runs from their own weights."""

from collections.abc import Mapping

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.dialects.vllm_engine import (
    DEFAULT_CONTEXT,
    ENGINE,
    translate_context,
    translate_generation,
    translate_weights,
)

TRTLLM = "TRTLLMEngine"

_OBSOLETE: Mapping[str, str] = {
    "scheduler_policy": "vLLM schedules requests itself",
    "logger_level": "vLLM has its own log",
    "max_tokens_in_paged_kv_cache": "vLLM sizes its cache by `gpu_memory_utilization`",
    "enable_trt_overlap": "vLLM has no such option",
}


def translate_trtllm_engine(translator: Translator) -> None:
    """Carry `engine_config`. A compiled engine is refused: vLLM needs the weights it was compiled from."""
    kind = (*ENGINE, "type")
    translator.map(kind, kind, "VLLMEngine", "vLLM runs the model from its original weights")
    message = "TensorRT-LLM is not run any more: vLLM serves this model"
    translator.warn(translator.position(kind), "engine-replaced", message, "compare its answers before you rely on it")
    for key in _OBSOLETE:
        if translator.has((*ENGINE, key)):
            translator.drop((*ENGINE, key), _OBSOLETE[key])
    translate_weights(translator)
    for key in ("s3_mirror_config", "gcs_mirror_config", "model_local_path"):
        if translator.has((*ENGINE, key)) and translator.get(*ENGINE, key) != {}:
            message = f"`{key}` holds an engine compiled for TensorRT-LLM, which vLLM cannot load"
            hint = "remove it, and write `hf_model_id` or a mirror with the original weights"
            translator.refuse((*ENGINE, key), "compiled-engine", message, hint)
    translate_context(translator, DEFAULT_CONTEXT)
    translator.copy((*ENGINE, "max_num_sequences"), (*ENGINE_KWARGS, "max_num_seqs"), "`max_num_seqs` is its name now")
    fraction = (*ENGINE, "kv_cache_free_gpu_mem_fraction")
    if translator.has(fraction):
        reason = "of the whole memory now, weights included, and no longer of what they leave free"
        translator.copy(fraction, (*ENGINE_KWARGS, "gpu_memory_utilization"), reason)
        message = f"`gpu_memory_utilization` takes the place of `kv_cache_free_gpu_mem_fraction`: {reason}"
        translator.warn(translator.position(fraction), "engine-replaced", message, "raise it")
    translate_engine_kwargs(translator, (*ENGINE, "engine_kwargs"))
    translate_generation(translator)
