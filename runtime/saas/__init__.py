"""The application of one model that somebody else runs, named by `import_path: runtime.saas:build`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build(args: Mapping[str, Any]) -> "Application":
    """The Serve application of one model.

    `args` holds `model_id`, `ray_actor_options` with the resources of one replica, and `owner`, which only says whose
    it is. Which service is asked, and how, comes with `user_config`, which Ray Serve updates in running replicas.
    """
    from runtime.saas.application import application

    return application(args["model_id"], args["ray_actor_options"])
