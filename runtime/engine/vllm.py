"""The vLLM engine as Ray starts it, with a few of its edges filed off."""

from typing import Any

from ray.llm._internal.serve.engines.vllm.vllm_engine import VLLMEngine
from vllm import envs
from vllm.entrypoints.serve.engine.protocol import ErrorResponse
from vllm.entrypoints.serve.lora.protocol import LoadLoRAAdapterRequest

from runtime.engine.errors import WeightsError
from runtime.engine.mirror import Snapshot
from runtime.engine.prompts import have_tokenizer_begin
from runtime.engine.terms import limit_prompts


class Engine(VLLMEngine):
    """Ray's vLLM engine."""

    def __init__(self, llm_config: Any) -> None:
        """Not started yet; `llm_config` is an `LLMConfig`."""
        super().__init__(llm_config)
        self._known: dict[str, Snapshot] = {}
        """The latest files of every adapter that was loaded, by name."""

    async def start(self) -> None:
        """Start the engine; returns when it answers."""
        await super().start()
        have_tokenizer_begin(self._engine_client.renderer)
        if self._oai_serving_tokenization is None:  # type: ignore[has-type]
            # vLLM 0.29 keeps it under another name than Ray 2.60 looks for, and /tokenize would be refused.
            self._oai_serving_tokenization = getattr(self._app_state, "serving_tokenization", None)
        limit_prompts(self._app_state)

    def decode(self, token_ids: list[int]) -> str:
        """The text of tokens."""
        return self._app_state.online_renderer.renderer.get_tokenizer().decode(token_ids)

    async def load_adapter(self, name: str, snapshot: Snapshot) -> None:
        """Have an adapter answer to a name, until `unload_adapter`.

        Raises:
            WeightsError: vLLM refuses it, for example for its rank.
        """
        request = LoadLoRAAdapterRequest(lora_name=name, lora_path=str(snapshot.path))
        answer = await self._oai_models.load_lora_adapter(request)
        if isinstance(answer, ErrorResponse):
            raise WeightsError(answer.error.message)
        if self._known.setdefault(name, snapshot) != snapshot:
            # What was computed with other weights is kept under the same name (`_gen_lora_extra_hash_keys`). Requests
            # that are under way are computed again; they do not notice.
            await self._engine_client.reset_prefix_cache(reset_running_requests=True)
            self._known[name] = snapshot

    async def unload_adapter(self, name: str) -> None:
        """Have nobody answer to the name any more."""
        request = self._oai_models.lora_requests.pop(name, None)
        if request is not None:
            # vLLM itself would keep its memory until another one needs it.
            await self._engine_client.remove_lora(request.lora_int_id)

    def _start_async_llm_engine(self, vllm_engine_args: Any, vllm_engine_config: Any, placement_group: Any) -> Any:
        # Ray asks for the executor with worker processes on every CPU (`VLLMEngineConfig.get_initialization_kwargs`).
        # Where VLLM_ENABLE_V1_MULTIPROCESSING is 0, vLLM itself would keep a single worker in the engine's process.
        parallel = vllm_engine_config.parallel_config
        alone = parallel.distributed_executor_backend == "mp" and parallel.world_size == 1
        if alone and not envs.VLLM_ENABLE_V1_MULTIPROCESSING:
            parallel.distributed_executor_backend = "uni"
        return super()._start_async_llm_engine(vllm_engine_args, vllm_engine_config, placement_group)
