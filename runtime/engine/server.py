"""The deployment that runs one model: Ray's LLM server, started with what its node's environment says."""

import os
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ray._common.usage.usage_lib import usage_stats_enabled
from ray.serve.llm import LLMConfig
from ray.serve.llm.deployment import LLMServer

from runtime.engine.batches import batched
from runtime.engine.references import resolve
from runtime.engine.startup import Startup
from runtime.engine.vllm import Engine


class EngineServer(LLMServer):
    """One replica of a model."""

    _default_engine_cls = Engine

    async def __init__(self, llm_config: LLMConfig, *, config: Mapping[str, Any]) -> None:
        """Start the engine; returns when the model answers.

        `llm_config` is what the deployment's resources were computed from; `config` is the same as it was written,
        and is resolved here, on the node where the model runs.

        Raises:
            LookupError: a variable that `config` refers to is not set on this node.
        """
        del llm_config
        resolved = LLMConfig(**resolve(config, os.environ))
        resolved.callback_config.callback_class = Startup
        await super().__init__(resolved)

    async def _start_engine(self) -> None:
        if usage_stats_enabled():
            await super()._start_engine()
        else:
            # Ray starts its telemetry agent (a process, 4 s) even where the operator has switched reports off.
            await self.engine.start()

    def _batch_output_stream(self, generator: AsyncGenerator[Any, None]) -> AsyncGenerator[list[Any], None]:
        return batched(generator, self._get_batch_interval_ms() / 1000)
