"""Makes the gateway's application."""

from ray import serve
from ray.serve import Application

from runtime.gateway.ingress import Gateway


def application(num_cpus: float) -> Application:
    """The application that `runtime.gateway.build` promises; `num_cpus` are the logical CPUs of one replica."""
    return serve.deployment(Gateway, name="Gateway", ray_actor_options={"num_cpus": num_cpus}).bind()
