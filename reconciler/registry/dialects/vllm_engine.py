"""`engine_config` of RayLLM's `VLLMEngine` (`rayllm/backend/llm/vllm/vllm_models.py`)."""

from collections.abc import Mapping

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.generate_kwargs import drop_generate_kwargs
from reconciler.registry.dialects.mirrors import translate_mirrors
from reconciler.registry.dialects.prompt_formats import translate_rayllm_format
from reconciler.registry.dialects.runtime_envs import RUNTIME_ENV, translate_runtime_env
from reconciler.registry.dialects.stopping_sequences import translate_stopping_sequences
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

ENGINE: KeyPath = ("engine_config",)
GENERATION: KeyPath = (*ENGINE, "generation")

DEFAULT_CONTEXT = 2048
"""`max_total_tokens` where a file gives none."""

_HUB_TOKENS = frozenset({"HUGGING_FACE_HUB_TOKEN", "HF_TOKEN", "ENDPOINTS_ENABLE_SECRET_LOADING"})
"""What Ray passes on by itself, and a switch of Anyscale's."""

_DEAD_DEFAULTS = "RayLLM put the fields that a request left empty over it, so that it never had an effect"


def translate_vllm_engine(translator: Translator) -> None:
    """Carry `engine_config`, its `type` aside."""
    translate_weights(translator)
    translate_mirrors(translator, ENGINE)
    translate_context(translator, DEFAULT_CONTEXT)
    translate_engine_kwargs(translator, (*ENGINE, "engine_kwargs"))
    translate_generation(translator)


def translate_weights(translator: Translator) -> None:
    """Carry what every engine of RayLLM has: ids, the description and the runtime environment."""
    for key in ("model_id", "hf_model_id", "tokenizer_id", "model_url", "model_description"):
        translator.copy((*ENGINE, key), (*ENGINE, key))
    if translator.has((*ENGINE, "model_type")):
        translator.keep((*ENGINE, "model_type"), "`type` says what the model is for")
    translate_runtime_env(translator, (*ENGINE, "runtime_env"))
    _translate_propagated(translator, (*ENGINE, "env_vars_to_propogate"))


def translate_context(translator: Translator, default: int) -> None:
    """Carry `max_total_tokens`; where there is none, write the engine's default."""
    path = (*ENGINE, "max_total_tokens")
    translator.copy(path, path)
    if not translator.has(path):
        translator.put(path, default, translator.position(ENGINE))


def translate_generation(translator: Translator, source: KeyPath = GENERATION) -> None:
    """Carry `generation`. No prompt format, written as null or `{}`, means that conversations are refused."""
    prompt_format = (*source, "prompt_format")
    if translator.decided(prompt_format):
        pass
    elif translator.get(*prompt_format):
        translate_rayllm_format(translator, prompt_format)
    elif "prompt_format" in translator.keys(source) and "chat_template" not in translator.value_at(ENGINE_KWARGS):
        reason = "without a prompt format RayLLM refused conversations"
        translator.map(prompt_format, (*GENERATION, "chat"), False, reason)
    drop_generate_kwargs(translator, (*source, "generate_kwargs"), _DEAD_DEFAULTS)
    translate_stopping_sequences(translator, (*source, "stopping_sequences"))


def _translate_propagated(translator: Translator, source: KeyPath) -> None:
    """Variables copied from the environment in which RayLLM was started; today they come from the nodes'."""
    names = translator.get(*source)
    if names is None:
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        translator.refuse(source, "wrong-type", "`env_vars_to_propogate` must be a list of names")
        return
    variables = (*RUNTIME_ENV, "env_vars")
    if not isinstance(translator.value_at(RUNTIME_ENV).get("env_vars", {}), Mapping):
        return
    wanted = [name for name in names if name not in _HUB_TOKENS]
    if not wanted:
        translator.keep(source, "Ray passes the Hugging Face token on by itself")
        return
    translator.map(source, (*variables, wanted[0]), f"${{env:{wanted[0]}}}", "the cluster's nodes have these variables")
    for name in wanted[1:]:
        translator.put((*variables, name), f"${{env:{name}}}", translator.position(source))
