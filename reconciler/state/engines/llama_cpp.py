"""`LlamaCppEngine`: llama.cpp in the replica's own process, with a GGUF file."""

import re

from reconciler.registry.engine_spec import EngineConfig, PromptFormat, total_tokens
from reconciler.registry.prompt_format import chat_template
from reconciler.registry.spec import ModelSpec
from reconciler.state.capacity import Bundles
from reconciler.state.engines.engine import Engine, actor_options
from reconciler.state.json_value import JsonValue

_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|.)")


def template(prompt_format: PromptFormat) -> str:
    """The chat template for llama.cpp's own Jinja, which does not know the escape `\\u0007` in a text but takes the
    character itself. Whether a beginning-of-sequence token goes in front is said by the file's tokenizer.
    """
    text = chat_template(prompt_format, begins=False)
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[0], text)


def _args(spec: ModelSpec, bundles: Bundles) -> dict[str, JsonValue]:
    engine = spec.engine_config
    mirror = engine.s3_mirror_config or engine.gcs_mirror_config
    optional = {"file": engine.gguf_file, "max_total_tokens": total_tokens(engine)}
    return {
        "model_id": spec.model_id,
        "ray_actor_options": actor_options(bundles),
        "llama_cpp": {
            "source": mirror.bucket_uri if mirror else engine.hf_model_id or engine.model_id,
            "params": _params(engine),
            **{key: value for key, value in optional.items() if value is not None},
        },
    }


def _params(engine: EngineConfig) -> dict[str, JsonValue]:
    prompt_format = engine.generation.prompt_format
    if prompt_format is None:
        return dict(engine.engine_kwargs)
    # A prompt format has a part for every message and an end: an answer that the client began is none of it.
    return {"prefill_assistant": False, **engine.engine_kwargs, "chat_template": template(prompt_format)}


ENGINE = Engine(package="llama_cpp", args=_args)
"""The type as the compiler takes it."""
