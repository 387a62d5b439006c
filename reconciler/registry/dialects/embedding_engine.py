"""`engine_config` of RayLLM's `EmbeddingEngine` (0.5): sentence embeddings, by vLLM's pooling runner today."""

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.mirrors import translate_mirrors
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.dialects.vllm_engine import ENGINE, translate_context, translate_weights

EMBEDDING = "EmbeddingEngine"

_DEFAULT_CONTEXT = 512
"""`max_total_tokens` where a file gives none."""

_POOLING = {"pooling_type": "MEAN", "use_activation": True}
"""What RayLLM did with every model: the mean over the tokens, then the norm of 1."""


def translate_embedding_engine(translator: Translator) -> None:
    """Carry `engine_config`."""
    translator.copy((*ENGINE, "type"), (*ENGINE, "type"))
    translate_weights(translator)
    translate_mirrors(translator, ENGINE)
    translate_context(translator, _DEFAULT_CONTEXT)
    reason = "vLLM batches by itself, up to this many requests"
    translator.copy((*ENGINE, "max_batch_size"), (*ENGINE_KWARGS, "max_num_seqs"), reason)
    if translator.has((*ENGINE, "batch_wait_timeout_s")):
        translator.drop((*ENGINE, "batch_wait_timeout_s"), "vLLM waits for no batch to fill")
    if translator.has((*ENGINE, "optimize")):
        translator.drop((*ENGINE, "optimize"), "vLLM runs the original weights, not their ONNX form")
    if translator.has((*ENGINE, "generation")):
        message, hint = "an embedding model generates no text", "remove `generation`"
        translator.refuse((*ENGINE, "generation"), "embedding-generation", message, hint)
    translate_engine_kwargs(translator, (*ENGINE, "engine_kwargs"))
    if "pooler_config" not in translator.value_at(ENGINE_KWARGS):
        # vLLM would pool as the model's own files say, or else take the first token: other vectors than are stored.
        translator.put((*ENGINE_KWARGS, "pooler_config"), dict(_POOLING), translator.position((*ENGINE, "type")))
