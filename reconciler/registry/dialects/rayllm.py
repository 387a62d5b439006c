"""RayLLM 0.3 to 0.5 (October 2023 to January 2024): the format that the canonical form grew out of.

A file is read as RayLLM's when it has a key or a spelling that only RayLLM had. With canonical keys alone it is
canonical, where an absent key has the canonical default.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.autoscaling import RAYLLM
from reconciler.registry.dialects.embedding_engine import EMBEDDING, translate_embedding_engine
from reconciler.registry.dialects.envelope import translate_envelope
from reconciler.registry.dialects.registry_keys import translate_registry_keys
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.dialects.trtllm_engine import TRTLLM, translate_trtllm_engine
from reconciler.registry.dialects.vllm_engine import ENGINE, translate_vllm_engine
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath

NAME = "RayLLM"

MAX_ONGOING_REQUESTS = 20
"""`max_concurrent_queries` of `VLLMDeployment` and `EmbeddingDeployment` where a file gives none."""

_SIGNS: Mapping[KeyPath, frozenset[str]] = {
    ("deployment_config",): frozenset({"max_concurrent_queries"}),
    ("deployment_config", "autoscaling_config"): frozenset(
        {
            "target_num_ongoing_requests_per_replica",
            "metrics_interval_s",
            "smoothing_factor",
            "upscale_smoothing_factor",
            "downscale_smoothing_factor",
        }
    ),
    ENGINE: frozenset(
        {
            "model_type",
            "env_vars_to_propogate",
            "model_local_path",
            "scheduler_policy",
            "logger_level",
            "max_num_sequences",
            "max_tokens_in_paged_kv_cache",
            "kv_cache_free_gpu_mem_fraction",
            "enable_trt_overlap",
            "optimize",
            "max_batch_size",
            "batch_wait_timeout_s",
        }
    ),
    (*ENGINE, "s3_mirror_config"): frozenset({"s3_sync_args", "s3_aws_credentials"}),
    ("scaling_config",): frozenset({"pg_timeout_s"}),
}
"""Keys that only RayLLM had, by their section."""

_ACCELERATOR = "accelerator_type_"
"""Begins the resources that RayLLM's own clusters declared; Ray's begin with `accelerator_type:`."""

_RESOURCES: tuple[KeyPath, ...] = (
    ("scaling_config", "resources_per_worker"),
    ("deployment_config", "ray_actor_options", "resources"),
)


def recognises(document: Document) -> bool:
    """Whether the file has sections of this form and anything that only RayLLM had."""
    if not isinstance(document.value.get("engine_config"), Mapping):
        return False
    return (
        any(not names.isdisjoint(section(document, path)) for path, names in _SIGNS.items())
        or section(document, ENGINE).get("type") == TRTLLM
        or section(document, ("scaling_config",)).get("num_workers") == 0
        or any(name.startswith(_ACCELERATOR) for path in _RESOURCES for name in section(document, path))
    )


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    translate_sections(translator)
    return translator.finish()


def translate_sections(translator: Translator) -> None:
    """Carry the three sections, and what the canonical form has beside them."""
    translate_envelope(translator, autoscaling=RAYLLM, max_ongoing_requests=MAX_ONGOING_REQUESTS)
    translate_registry_keys(translator)
    engine = translator.get(*ENGINE, "type")
    if engine == EMBEDDING:
        translate_embedding_engine(translator)
    elif engine == TRTLLM:
        translate_trtllm_engine(translator)
    else:
        translator.copy((*ENGINE, "type"), (*ENGINE, "type"))
        translate_vllm_engine(translator)


def section(document: Document, path: KeyPath) -> Mapping[str, Any]:
    """The mapping at a path, empty where there is none."""
    value: Any = document.value
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
