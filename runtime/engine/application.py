"""Makes the application of one model from its `LLMConfig`."""

from collections.abc import Mapping
from typing import Any

from ray.serve import Application
from ray.serve.llm import LLMConfig, build_llm_deployment

from runtime.engine.server import EngineServer


def application(config: Mapping[str, Any]) -> Application:
    """The application that `runtime.engine.build` promises; `config` holds the fields of `LLMConfig`."""
    return build_llm_deployment(
        LLMConfig(**config),
        name_prefix="LLMServer:",
        bind_kwargs={"config": config},
        deployment_cls=EngineServer,
    )
