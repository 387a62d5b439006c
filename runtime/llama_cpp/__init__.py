"""The application of one model that llama.cpp runs, named by `import_path: runtime.llama_cpp:build`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build(args: Mapping[str, Any]) -> "Application":
    """The Serve application of one model.

    `args` holds `model_id`, `ray_actor_options` with the resources of one replica, `llama_cpp` with the GGUF file and
    the parameters, and `owner`, which only says whose it is. Where a `${env:NAME}` stands in `llama_cpp` it stays as it
    is written until a replica starts on its node.
    """
    from runtime.llama_cpp.application import application

    return application(args["model_id"], args["ray_actor_options"], args["llama_cpp"])
