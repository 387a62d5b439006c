"""`EmbeddingEngine`: vLLM's pooling runner, which answers with vectors and scores."""

from reconciler.registry.spec import ModelSpec
from reconciler.state.adapters import adapter_settings
from reconciler.state.capacity import Bundles
from reconciler.state.engines.engine import Engine
from reconciler.state.engines.vllm import llm_config
from reconciler.state.json_value import JsonValue


def _args(spec: ModelSpec, bundles: Bundles) -> dict[str, JsonValue]:
    return llm_config(spec, bundles, runner="pooling")


ENGINE = Engine(package="engine", args=_args, user_config=adapter_settings)
"""The type as the compiler takes it."""
