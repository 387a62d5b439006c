"""`LLMConfig`: Anyscale's RayLLM of 2024, Ray's first version of it, and `ray.serve.llm` of today.

All three have `model_loading_config`. The early ones have a prompt format, a limit of tokens and a degree of
parallelism in places of their own, and call the engine `VLLMEngine`.
"""

from collections.abc import Mapping

from reconciler.registry.dialects.adapters import translate_lora_config
from reconciler.registry.dialects.anyscale import translate_prompt_format_extras
from reconciler.registry.dialects.llm_deployment import translate_llm_deployment
from reconciler.registry.dialects.llm_engine import translate_llm_engine
from reconciler.registry.dialects.llm_placement import translate_llm_placement
from reconciler.registry.dialects.mirrors import store_of, translate_mirror
from reconciler.registry.dialects.registry_keys import translate_registry_keys
from reconciler.registry.dialects.runtime_envs import translate_runtime_env
from reconciler.registry.dialects.stopping_sequences import STOPPING_SEQUENCES
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.dialects.vllm_engine import ENGINE, translate_generation
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

NAME = "LLMConfig"

_LOADING: KeyPath = ("model_loading_config",)

_OBSOLETE: Mapping[KeyPath, str] = {
    ("input_modality",): "vLLM takes it from the model",
    ("json_mode", "enabled"): "vLLM guides JSON output whenever a request asks for it",
    ("query_auth_token_enabled",): "who may ask is decided in front of the gateway",
    ("log_engine_metrics",): "the registry always has Ray Serve report the engine's metrics",
    ("experimental_configs", "stream_batching_interval_ms"): "the registry's own server batches what it streams",
    ("experimental_configs", "num_ingress_replicas"): "the cluster file says it: `gateway.replicas`",
}

_REFUSED: Mapping[KeyPath, tuple[str, str]] = {
    ("server_cls",): ("a server class of one's own cannot be carried", "remove it: the registry's own one serves"),
    ("callback_config",): ("callbacks of one's own cannot be carried", "remove it"),
}


def recognises(document: Document) -> bool:
    """Whether the file has `model_loading_config`."""
    return "model_loading_config" in document.value


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    translator.copy(("enabled",), ("enabled",))
    translate_registry_keys(translator)
    _translate_loading(translator)
    translate_runtime_env(translator, ("runtime_env",))
    translate_llm_engine(translator)
    _translate_generation(translator)
    translate_llm_deployment(translator)
    translate_llm_placement(translator)
    _translate_rest(translator)
    return translator.finish()


def _translate_loading(translator: Translator) -> None:
    model_id, source = (*_LOADING, "model_id"), (*_LOADING, "model_source")
    translator.copy(model_id, (*ENGINE, "model_id"))
    if not translator.has(model_id):
        message = "`model_loading_config.model_id` is missing"
        translator.report(translator.position(_LOADING), "missing-key", message, "add `model_id:`")
    given = translator.get(*source)
    if isinstance(given, Mapping):
        translate_mirror(translator, source, store_of(given.get("bucket_uri"), "s3_mirror_config"))
    elif isinstance(given, str) and given.startswith(("s3://", "gs://")):
        store = store_of(given, "s3_mirror_config")
        translator.map(source, (*ENGINE, store, "bucket_uri"), given, "a bucket is a mirror")
    elif isinstance(given, str) and "://" in given:
        message = f"weights cannot be loaded from {quoted(given)}"
        hint = "a mirror is a bucket of `s3://` or `gs://`; else write a Hugging Face id or a path on the nodes"
        translator.refuse(source, "mirror-scheme", message, hint)
    else:
        translator.copy(source, (*ENGINE, "hf_model_id"))
    translator.copy((*_LOADING, "tokenizer_source"), (*ENGINE, "tokenizer_id"), "`ray.serve.llm` 2.60 never reads it")


def _translate_generation(translator: Translator) -> None:
    names = [name for name in ("generation_config", "generation") if translator.has((name,))]
    for name in names[1:]:
        message = f"`{name}` and `{names[0]}` are two names for the same thing"
        translator.refuse((name,), "given-twice", message, "keep one of them")
    for name in names[:1]:
        translate_prompt_format_extras(translator, (name, "prompt_format"))
        translate_generation(translator, (name,))
        _translate_stopping_tokens(translator, (name, "stopping_tokens"))


def _translate_stopping_tokens(translator: Translator, source: KeyPath) -> None:
    tokens = translator.get(*source)
    if not isinstance(tokens, list):
        translator.copy(source, STOPPING_SEQUENCES)
        return
    texts = translator.value_at(STOPPING_SEQUENCES[:-1]).get("stopping_sequences", [])
    both = [*texts, *tokens] if isinstance(texts, list) else tokens
    translator.map(source, STOPPING_SEQUENCES, both, "texts and token ids are in one list now")


def _translate_rest(translator: Translator) -> None:
    for path, reason in _OBSOLETE.items():
        if translator.has(path):
            translator.drop(path, reason)
    for path, (message, hint) in _REFUSED.items():
        if translator.get(*path):
            translator.refuse(path, "not-carried", message, hint)
    translate_lora_config(translator)
