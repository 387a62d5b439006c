"""Builds the gateway's application from the `args` in the Serve document."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import Application
from ray.serve.llm.ingress import make_fastapi_ingress

from runtime.gateway.errors import install
from runtime.gateway.ingress import Gateway


def build(args: Mapping[str, Any]) -> Application:
    """The Serve application of the gateway.

    `args` holds `num_cpus`, the logical CPUs of one replica, and `owner`, which only says whose it is. Everything else
    comes with `user_config`, which Ray Serve updates in running replicas.
    """
    app = FastAPI()
    install(app)
    ingress = make_fastapi_ingress(Gateway, app=app)
    options = {"num_cpus": args["num_cpus"]}
    return serve.deployment(ingress, name="Gateway", ray_actor_options=options).bind()
