"""A gateway that routes by model id, as far as a smoke test and a load generator need it."""

from collections.abc import Mapping
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Gateway:
    """Knows its models from its `user_config`."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}

    def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """A new routing table."""
        self._models = dict(user_config["models"])

    async def __call__(self, request: Request) -> Response:
        """One request."""
        if request.method == "GET":
            return JSONResponse({"data": [{"id": model_id} for model_id in self._models]})
        model_id = (await request.json())["model"]
        if model_id not in self._models:
            return JSONResponse({"error": "unknown model"}, 404)
        route = self._models[model_id]
        handle = serve.get_deployment_handle(route["deployment"], app_name=route["application"])
        answer = await handle.answer.remote()
        return JSONResponse({"choices": [{"message": {"content": answer["replica"]}}], "version": answer["version"]})


def build(args: Mapping[str, Any]) -> serve.Application:
    """The application in front of all models."""
    deployment = serve.deployment(name="Gateway", ray_actor_options={"num_cpus": args["num_cpus"]})
    return deployment(Gateway).bind()
