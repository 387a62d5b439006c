"""`VLLMEngine`: vLLM through `ray.serve.llm`. What this module makes of a model the other types of vLLM start from."""

from typing import Any

from reconciler.registry.engine_spec import Mirror, total_tokens
from reconciler.registry.prompt_format import chat_template
from reconciler.registry.spec import ModelSpec
from reconciler.state.adapters import adapter_arguments, adapter_settings
from reconciler.state.capacity import Bundles
from reconciler.state.engines.engine import Engine
from reconciler.state.json_value import JsonValue


def llm_config(spec: ModelSpec, bundles: Bundles, **fixed: JsonValue) -> dict[str, JsonValue]:
    """The `args` of a model that vLLM runs: what `ray.serve.llm.LLMConfig` takes (extra keys are errors there). `fixed`
    are engine arguments that the type of engine decides.
    """
    engine = spec.engine_config
    mirror = engine.s3_mirror_config or engine.gcs_mirror_config
    config: dict[str, JsonValue] = {
        "model_loading_config": {
            "model_id": engine.model_id,
            "model_source": _mirror(mirror) if mirror else engine.hf_model_id or engine.model_id,
        },
        "llm_engine": "vLLM",
        "engine_kwargs": {**_engine_kwargs(spec), **fixed},
        # The replica's own CPU is in the first bundle already; num_cpus 0 keeps Ray from adding it a second time.
        "deployment_config": {"ray_actor_options": {"num_cpus": 0}},
        "placement_group_config": {
            "bundles": [dict(bundle) for bundle in bundles.bundles],
            "strategy": bundles.strategy.value,
        },
    }
    return {"llm_config": config}


def _mirror(mirror: Mirror) -> dict[str, JsonValue]:
    return mirror.model_dump(exclude_defaults=True)


def _engine_kwargs(spec: ModelSpec) -> dict[str, JsonValue]:
    engine = spec.engine_config
    kwargs: dict[str, Any] = dict(engine.engine_kwargs)
    tokens = total_tokens(engine)
    if tokens is not None:
        kwargs["max_model_len"] = tokens
    kwargs["tensor_parallel_size"] = spec.scaling_config.num_workers // int(kwargs.get("pipeline_parallel_size", 1))
    if engine.tokenizer_id is not None:
        # Not `tokenizer_source` of the loading config: Ray 2.60 accepts it there and never reads it.
        kwargs["tokenizer"] = engine.tokenizer_id
    if engine.generation.prompt_format is not None:
        kwargs["chat_template"] = chat_template(engine.generation.prompt_format)
    if engine.lora_config is not None:
        kwargs = {**adapter_arguments(kwargs), **kwargs}
    return kwargs


ENGINE = Engine(package="engine", args=llm_config, user_config=adapter_settings)
"""The type as the compiler takes it."""
