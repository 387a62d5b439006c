"""The application of one model: vLLM behind `ray.serve.llm`, named by `import_path: runtime.engine:build`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application


def build(args: Mapping[str, Any]) -> "Application":
    """The Serve application of one model.

    `args` holds `llm_config`, the fields of `ray.serve.llm.LLMConfig`, and `owner`, which only says whose it is.
    Where a `${env:NAME}` stands in `llm_config` it stays as it is written until a replica starts on its node.

    Raises:
        ValueError: Ray or vLLM refuses the config (an unknown engine argument, an impossible placement).
    """
    from runtime.engine.application import application

    return application(args["llm_config"])
