"""Anyscale Endpoints (October 2023 to July 2024): RayLLM's three sections and the options of a private version of vLLM.

What only that version had is named and left out.
"""

from collections.abc import Mapping

from reconciler.registry.dialects import rayllm
from reconciler.registry.dialects.adapters import translate_multiplexing
from reconciler.registry.dialects.rayllm import section
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.dialects.vllm_engine import ENGINE, GENERATION
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath

NAME = "Anyscale Endpoints"

_TOP_LEVEL = frozenset({"multiplex_config", "standalone_function_calling_model", "depends_on_model"})

_PRIVATE_ARGUMENTS = frozenset(
    {
        "enable_cuda_graph",
        "num_tokenizer_actors",
        "tokenizer_pool_size",
        "tokenizer_pool_extra_config",
        "enable_json_logits_processors",
        "enable_custom_nccl",
        "long_lora_scaling_factors",
        "max_log_probs",
        "use_v2_block_manager",
        "enable_prompt_lookup",
        "max_ngram_size",
        "speculative_disable_by_batch_size",
        "spec_decode_disable_by_queue_size",
        "spec_decode_skip_kv_regeneration",
    }
)
"""Engine arguments that tell these files from RayLLM's."""

PROMPT_FORMAT_EXTRAS = (
    "bos",
    "use_hugging_face_chat_template",
    "tool",
    "tool_calls",
    "tools_list",
    "system_in_last_user",
    "tools_list_in_user",
    "tools_list_in_last_user",
)
_CONSTANT_PREFIX = "accelerator_type:NVIDIA_"
"""Some files held the names of Python constants in place of their values."""

_TOOLS = "tools are called by `enable_auto_tool_choice` and `tool_call_parser` in `engine_kwargs`"


def recognises(document: Document) -> bool:
    """Whether the file has sections of RayLLM's form and anything that only Anyscale had."""
    if not isinstance(document.value.get("engine_config"), Mapping):
        return False
    resources = section(document, ("scaling_config", "resources_per_worker"))
    return (
        not _TOP_LEVEL.isdisjoint(document.value)
        or not _PRIVATE_ARGUMENTS.isdisjoint(section(document, (*ENGINE, "engine_kwargs")))
        or any(name in section(document, (*GENERATION, "prompt_format")) for name in PROMPT_FORMAT_EXTRAS)
        or any(isinstance(name, str) and name.startswith(_CONSTANT_PREFIX) for name in resources)
    )


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    translate_multiplexing(translator)
    for key in ("standalone_function_calling_model", "depends_on_model"):
        if translator.has((key,)):
            translator.drop((key,), _TOOLS)
    translate_prompt_format_extras(translator, (*GENERATION, "prompt_format"))
    rayllm.translate_sections(translator)
    return translator.finish()


def translate_prompt_format_extras(translator: Translator, source: KeyPath) -> None:
    """Say what becomes of the parts of a prompt format that only Anyscale had."""
    if translator.get(*source, "use_hugging_face_chat_template") is True:
        translator.keep(source, "the tokenizer's own chat template is used")
        return
    for key in PROMPT_FORMAT_EXTRAS:
        path = (*source, key)
        if not translator.has(path):
            continue
        if translator.get(*path) is False:
            translator.keep(path, "false changes nothing")
        elif key == "bos":
            translator.drop(path, "the tokenizer's own token is put in front of every prompt")
        elif key == "system_in_last_user":
            message = "the system message cannot be put inside the last user message"
            translator.refuse(path, "prompt-format-part", message, "write `system_in_user` for the first one")
        else:
            translator.drop(path, _TOOLS)
