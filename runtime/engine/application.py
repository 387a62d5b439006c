"""Builds the application of one model from the `args` in the Serve document."""

from collections.abc import Mapping
from typing import Any

from ray.serve import Application
from ray.serve.llm import LLMConfig, build_llm_deployment

from runtime.engine.server import EngineServer


def build(args: Mapping[str, Any]) -> Application:
    """The Serve application of one model.

    `args` holds `llm_config`, the fields of `ray.serve.llm.LLMConfig`, and `owner`, which only says whose it is.
    Where a `${env:NAME}` stands in `llm_config` it stays as it is written until a replica starts on its node.

    Raises:
        ValueError: Ray or vLLM refuses the config (an unknown engine argument, an impossible placement).
    """
    config = args["llm_config"]
    return build_llm_deployment(
        LLMConfig(**config),
        name_prefix="LLMServer:",
        bind_kwargs={"config": config},
        deployment_cls=EngineServer,
    )
