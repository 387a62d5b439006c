"""The vLLM engine as Ray starts it, with two of its edges filed off."""

from typing import Any

from ray.llm._internal.serve.engines.vllm.vllm_engine import VLLMEngine
from vllm import envs


class Engine(VLLMEngine):
    """Ray's vLLM engine."""

    async def start(self) -> None:
        """Start the engine; returns when it answers."""
        await super().start()
        if self._oai_serving_tokenization is None:
            # vLLM 0.29 keeps it under another name than Ray 2.60 looks for, and /tokenize would be refused.
            self._oai_serving_tokenization = getattr(self._app_state, "serving_tokenization", None)

    def _start_async_llm_engine(self, vllm_engine_args: Any, vllm_engine_config: Any, placement_group: Any) -> Any:
        # Ray asks for the executor with worker processes on every CPU (`VLLMEngineConfig.get_initialization_kwargs`).
        # Where VLLM_ENABLE_V1_MULTIPROCESSING is 0, vLLM itself would keep a single worker in the engine's process.
        parallel = vllm_engine_config.parallel_config
        alone = parallel.distributed_executor_backend == "mp" and parallel.world_size == 1
        if alone and not envs.VLLM_ENABLE_V1_MULTIPROCESSING:
            parallel.distributed_executor_backend = "uni"
        return super()._start_async_llm_engine(vllm_engine_args, vllm_engine_config, placement_group)
