"""Makes the application of one model that llama.cpp runs."""

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application

from runtime.llama_cpp.server import LlamaCppServer


def application(model_id: str, ray_actor_options: Mapping[str, Any], config: Mapping[str, Any]) -> Application:
    """The application that `runtime.llama_cpp.build` promises."""
    name = "LLMServer:" + model_id.replace("/", "--").replace(".", "_")
    deployment = serve.deployment(LlamaCppServer, name=name, ray_actor_options=dict(ray_actor_options))
    return deployment.bind(model_id, dict(ray_actor_options), dict(config))
