"""The vLLM engine as Ray starts it, with two of its edges filed off."""

from typing import Any

from ray.llm._internal.serve.engines.vllm.vllm_engine import VLLMEngine


class Engine(VLLMEngine):
    """Ray's vLLM engine."""

    async def start(self) -> None:
        """Start the engine; returns when it answers."""
        await super().start()
        if self._oai_serving_tokenization is None:
            # vLLM 0.29 keeps it under another name than Ray 2.60 looks for, and /tokenize would be refused.
            self._oai_serving_tokenization = getattr(self._app_state, "serving_tokenization", None)

    def _start_async_llm_engine(self, vllm_engine_args: Any, vllm_engine_config: Any, placement_group: Any) -> Any:
        # Ray replaces a CPU model's executor by `mp` without a word (`VLLMEngineConfig.get_initialization_kwargs`).
        # `uni` keeps the weights in the engine's own process: one process less to start.
        executor = self.llm_config.engine_kwargs.get("distributed_executor_backend")
        if executor is not None:
            vllm_engine_config.parallel_config.distributed_executor_backend = executor
        return super()._start_async_llm_engine(vllm_engine_args, vllm_engine_config, placement_group)
