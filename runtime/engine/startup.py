"""What happens on the nodes before the engine starts."""

from ray.llm._internal.common.callbacks.base import CallbackBase


class Startup(CallbackBase):
    """Skips Ray's download step where there is nothing to download.

    For a model that comes from a mirror every node fetches the files first. For any other one Ray starts a task on
    each node all the same, a new process that imports vLLM (8 s) only to find that no mirror is configured.
    """

    async def on_before_node_init(self) -> None:
        """Called by the engine before the download step."""
        self.ctx.run_init_node = self.llm_config.get_engine_config().mirror_config is not None
