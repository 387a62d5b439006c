"""The application in front of all models: one OpenAI API, named by `import_path: runtime.gateway:build`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build(args: Mapping[str, Any]) -> "Application":
    """The Serve application of the gateway.

    `args` holds `num_cpus`, the logical CPUs of one replica, and `owner`, which only says whose it is. Everything else
    comes with `user_config`, which Ray Serve updates in running replicas.
    """
    from runtime.gateway.application import application

    return application(args["num_cpus"])
