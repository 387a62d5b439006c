"""Aviary 0.0.1 to 0.1.2 (May to July 2023): the section `model_config`, with static or continuous batching.

The form is that of `aviary/backend/server/models.py` at those versions, which differ in what they knew but never in
what a key meant: 0.1.0 brought `batching`, 0.1.1 a `prompt_format` of parts.
"""

from reconciler.registry.dialects.autoscaling import AVIARY
from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS
from reconciler.registry.dialects.envelope import DEPLOYMENT, translate_envelope
from reconciler.registry.dialects.generate_kwargs import (
    AVIARY_DEFAULTS,
    translate_generate_kwargs,
    write_generate_defaults,
)
from reconciler.registry.dialects.identity import translate_identity
from reconciler.registry.dialects.initializers import LLAMA_CPP, translate_initializer
from reconciler.registry.dialects.mirrors import translate_mirrors
from reconciler.registry.dialects.prompt_formats import (
    is_string_format,
    translate_aviary_format,
    translate_string_format,
)
from reconciler.registry.dialects.registry_keys import translate_registry_keys
from reconciler.registry.dialects.runtime_envs import translate_runtime_env
from reconciler.registry.dialects.stopping_sequences import translate_stopping_sequences
from reconciler.registry.dialects.token_limits import translate_token_limits
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath

NAME = "Aviary `model_config`"

_SECTION: KeyPath = ("model_config",)

_MAX_TOTAL_TOKENS = 2048
"""For static batching, which knew no such limit: the one that every later version implied."""

_CONTINUOUS_REQUESTS = 10
"""`max_concurrent_queries` of the deployment's class. Aviary wanted it written for continuous batching."""


def recognises(document: Document) -> bool:
    """Whether the file has the section that no other format has."""
    return "model_config" in document.value


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    batching = translator.get(*_SECTION, "batching")
    if batching in ("static", "continuous"):
        translator.drop((*_SECTION, "batching"), "vLLM always batches continuously")
    elif batching is not None:
        message = "`batching` is `static` or `continuous`"
        translator.refuse((*_SECTION, "batching"), "not-a-choice", message)
    translate_envelope(translator, autoscaling=AVIARY, max_ongoing_requests=None)
    translate_registry_keys(translator)
    translate_model(translator, _SECTION, continuous=batching == "continuous")
    return translator.finish()


def translate_model(translator: Translator, section: KeyPath, *, continuous: bool, vllm: bool = False) -> None:
    """Carry everything about the model in `section`; `vllm`: a format that knew vLLM beside the engines of Aviary."""
    translate_identity(translator, section)
    initialization, generation = (*section, "initialization"), (*section, "generation")
    kind = translate_initializer(translator, (*initialization, "initializer"), vllm=vllm)
    _translate_pipeline(translator, (*initialization, "pipeline"))
    translate_mirrors(translator, initialization)
    translate_runtime_env(translator, (*initialization, "runtime_env"))
    translator.copy((*initialization, "hf_model_id"), ("engine_config", "hf_model_id"))
    if translator.has((*initialization, "full_warmup")):
        translator.drop((*initialization, "full_warmup"), "vLLM warms itself up")
    if continuous:
        translate_token_limits(translator, generation)
        write_continuous_requests(translator)
    else:
        _translate_batch(translator, generation, "n_parallel" if kind == LLAMA_CPP else "max_num_seqs")
    for place in (section, generation):
        if translator.has((*place, "max_input_words")):
            reason = "tokens are counted, not words: `generation.max_input_tokens` limits them"
            translator.drop((*place, "max_input_words"), reason)
    # transformers samples only where it is told to, unlike text-generation-inference and vLLM.
    samples = continuous or kind in ("Vllm", "LlamaCpp")
    _translate_generation(translator, generation, samples_by_default=samples)


def write_continuous_requests(translator: Translator) -> None:
    """Write `max_ongoing_requests` where a file for continuous batching says nothing, and say so."""
    target = (*DEPLOYMENT, "max_ongoing_requests")
    if "max_ongoing_requests" not in translator.value_at(DEPLOYMENT):
        position = translator.position(DEPLOYMENT)
        translator.put(target, _CONTINUOUS_REQUESTS, position)
        message = "`deployment_config.max_concurrent_queries` is missing, which Aviary refused to deploy"
        hint = f"write how many requests a replica takes at a time; {_CONTINUOUS_REQUESTS} is taken"
        translator.warn(position, "implied-requests", message, hint)


def _translate_pipeline(translator: Translator, path: KeyPath) -> None:
    if translator.has(path):
        translator.drop(path, "vLLM runs every model the same way")


def _translate_batch(translator: Translator, generation: KeyPath, argument: str) -> None:
    """Static batching: as many requests at once as a batch holds, and a replica took no more unless told otherwise.
    `argument` is the engine's for the first.
    """
    path, requests = (*generation, "max_batch_size"), (*DEPLOYMENT, "max_ongoing_requests")
    size = translator.get(*path) if translator.has(path) else 1
    if translator.has(path):
        translator.copy(path, (*ENGINE_KWARGS, argument), "it is the most requests that are computed together")
    else:
        translator.put((*ENGINE_KWARGS, argument), size, translator.position(generation))
    if "max_ongoing_requests" not in translator.value_at(DEPLOYMENT):
        translator.put(requests, size, translator.position(path))
    if translator.has((*generation, "batch_wait_timeout_s")):
        translator.drop((*generation, "batch_wait_timeout_s"), "no engine waits for a batch to fill any more")
    if "max_total_tokens" not in translator.value_at(("engine_config",)):
        translator.put(("engine_config", "max_total_tokens"), _MAX_TOTAL_TOKENS, translator.position(generation[:-1]))


def _translate_generation(translator: Translator, source: KeyPath, *, samples_by_default: bool) -> None:
    prompt_format = (*source, "prompt_format")
    if translator.decided(prompt_format):
        pass
    elif is_string_format(translator, prompt_format):
        translate_string_format(translator, prompt_format)
    else:
        translate_aviary_format(translator, prompt_format)
    kwargs = (*source, "generate_kwargs")
    if translator.get(*kwargs) is None:
        write_generate_defaults(translator, kwargs, AVIARY_DEFAULTS)
    else:
        translate_generate_kwargs(translator, kwargs, samples_by_default=samples_by_default)
    translate_stopping_sequences(translator, (*source, "stopping_sequences"))
