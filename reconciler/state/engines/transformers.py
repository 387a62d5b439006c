"""`TransformersEngine`: vLLM around the model's own implementation in transformers.

vLLM supplies its attention, its KV cache and its sampling, and takes everything else of the model from transformers
(`vllm/model_executor/models/transformers`), so that an architecture of which it has no version runs all the same.
"""

from reconciler.registry.spec import ModelSpec
from reconciler.state.adapters import adapter_settings
from reconciler.state.capacity import Bundles
from reconciler.state.engines.engine import Engine
from reconciler.state.engines.vllm import llm_config
from reconciler.state.json_value import JsonValue


def _args(spec: ModelSpec, bundles: Bundles) -> dict[str, JsonValue]:
    # `transformers` and not `auto`: that would take vLLM's own implementation wherever there is one.
    return llm_config(spec, bundles, model_impl="transformers")


ENGINE = Engine(package="engine", args=_args, user_config=adapter_settings)
"""The type as the compiler takes it."""
