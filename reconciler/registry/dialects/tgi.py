"""Aviary 0.2.0 (August and September 2023): text-generation-inference, with a scheduler and its policy."""

from collections.abc import Mapping

from reconciler.registry.dialects.autoscaling import AVIARY
from reconciler.registry.dialects.aviary import write_continuous_requests
from reconciler.registry.dialects.envelope import translate_envelope
from reconciler.registry.dialects.generate_kwargs import translate_generate_kwargs
from reconciler.registry.dialects.identity import translate_identity
from reconciler.registry.dialects.loading_arguments import translate_loading_arguments
from reconciler.registry.dialects.mirrors import translate_mirrors
from reconciler.registry.dialects.prompt_formats import translate_aviary_format
from reconciler.registry.dialects.registry_keys import translate_registry_keys
from reconciler.registry.dialects.runtime_envs import translate_runtime_env
from reconciler.registry.dialects.stopping_sequences import translate_stopping_sequences
from reconciler.registry.dialects.token_limits import translate_token_limits
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath

NAME = "Aviary `TextGenerationInferenceEngine`"

_ENGINE: KeyPath = ("engine_config",)
_POLICY: KeyPath = (*_ENGINE, "scheduler", "policy")
_TYPE = "TextGenerationInferenceEngine"


def recognises(document: Document) -> bool:
    """Whether the engine has a scheduler, or names itself."""
    engine = document.value.get("engine_config")
    return isinstance(engine, Mapping) and ("scheduler" in engine or engine.get("type") == _TYPE)


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    translate_envelope(translator, autoscaling=AVIARY, max_ongoing_requests=None)
    write_continuous_requests(translator)
    _translate_type(translator, (*_ENGINE, "type"))
    translate_registry_keys(translator)
    translate_identity(translator, _ENGINE)
    translator.copy((*_ENGINE, "hf_model_id"), (*_ENGINE, "hf_model_id"))
    if translator.has((*_POLICY, "type")):
        translator.drop((*_POLICY, "type"), "vLLM schedules requests itself")
    translate_token_limits(translator, _POLICY)
    translate_loading_arguments(translator, (*_ENGINE, "model_init_kwargs"))
    translate_mirrors(translator, _ENGINE)
    translate_runtime_env(translator, (*_ENGINE, "runtime_env"))
    generation = (*_ENGINE, "generation")
    translate_aviary_format(translator, (*generation, "prompt_format"))
    translate_generate_kwargs(translator, (*generation, "generate_kwargs"), samples_by_default=True)
    translate_stopping_sequences(translator, (*generation, "stopping_sequences"))
    return translator.finish()


def _translate_type(translator: Translator, path: KeyPath) -> None:
    # Aviary took any text for it and compared it with nothing.
    if translator.has(path):
        reason = "vLLM takes the place of text-generation-inference"
        translator.map(path, path, "VLLMEngine", reason)
        message = (
            "vLLM runs this model instead of text-generation-inference: the same weights, but not the same numbers "
        )
        translator.warn(translator.position(path), "engine-replaced", message + "bit for bit")
