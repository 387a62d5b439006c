"""What happens on the nodes before the engine starts."""

from typing import Any

from ray.llm._internal.common.callbacks.base import CallbackBase

from runtime.engine.nodes import on_every_node
from runtime.engine.weights import Source, commit, have


class Startup(CallbackBase):
    """Has the weights on every node of the replica, or says why not, in place of Ray's own download step.

    That step starts a new process on each node that imports vLLM (8 s), also where there is nothing to download,
    fetches a mirror anew for every replica, and takes for success what is not (`runtime.engine.store`). A model whose
    mirror had nothing in it would then be looked for on the Hugging Face Hub, under the same name.
    """

    source: Source
    revision: str | None = None
    """What the weights were made of, where the mirror says it."""

    async def on_before_node_init(self) -> None:
        """Called by the engine before Ray's download step.

        Raises:
            WeightsError: the weights cannot be had, or are not whole.
        """
        self.ctx.run_init_node = False
        engine_config = self.llm_config.get_engine_config()
        self.source = Source.of(engine_config)
        if not self.source.is_looked_at:
            return
        found = await on_every_node(
            have, self.source, placement_group=self.ctx.placement_group, runtime_env=self.ctx.runtime_env
        )
        if found[0] is not None:
            # As Ray does after its own download: from here on the folder is the model.
            engine_config.hf_model_id = str(found[0].path)
            self.revision = found[0].revision

    def weights(self) -> dict[str, Any]:
        """`source`, as people name it, and `revision`: the commit, or what the mirror's file `hash` says; None where
        nobody knows."""
        return {"source": self.source.uri, "revision": self.revision or commit(self.source)}
