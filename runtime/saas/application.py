"""Makes the application of one model that somebody else runs."""

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application

from runtime.saas.server import SaaSServer


def application(model_id: str, ray_actor_options: Mapping[str, Any]) -> Application:
    """The application that `runtime.saas.build` promises."""
    name = "LLMServer:" + model_id.replace("/", "--").replace(".", "_")
    return serve.deployment(SaaSServer, name=name, ray_actor_options=dict(ray_actor_options)).bind(model_id)
