"""Makes the gateway's application."""

from fastapi import FastAPI
from ray import serve
from ray.llm._internal.serve.core.configs.openai_api_models import OpenAIHTTPException
from ray.serve import Application
from ray.serve.llm.ingress import make_fastapi_ingress

from runtime.gateway import handlers
from runtime.gateway.ingress import Gateway


def application(num_cpus: float) -> Application:
    """The application that `runtime.gateway.build` promises; `num_cpus` are the logical CPUs of one replica."""
    app = FastAPI()
    handlers.install(app)
    app.add_exception_handler(OpenAIHTTPException, handlers.engine_error)
    ingress = make_fastapi_ingress(Gateway, app=app)
    return serve.deployment(ingress, name="Gateway", ray_actor_options={"num_cpus": num_cpus}).bind()
