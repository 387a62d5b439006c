"""Adapters (LoRA) in the older formats: how many a replica keeps, and where those lie that requests find by name."""

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

LORA: KeyPath = ("engine_config", "lora_config")
"""Where they stand in the canonical form."""

_DOWNLOADS = "a replica fetches an adapter in the background, and tries again for a request after half a minute"


def translate_multiplexing(translator: Translator) -> None:
    """Carry `multiplex_config` of RayLLM and Anyscale."""
    source = ("multiplex_config", "max_num_models_per_replica")
    reason = "the adapters themselves were named where the application is started"
    translator.copy(source, (*LORA, "max_num_adapters_per_replica"), reason)


def translate_lora_config(translator: Translator) -> None:
    """Carry `lora_config` of `LLMConfig`."""
    for key in ("dynamic_lora_loading_path", "max_num_adapters_per_replica"):
        translator.copy(("lora_config", key), (*LORA, key))
    for key in ("download_timeout_s", "max_download_tries"):
        if translator.has(("lora_config", key)):
            translator.drop(("lora_config", key), _DOWNLOADS)
