"""The deployment that runs one model: Ray's LLM server, started with what its node's environment says."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any

import ray
import vllm
from ray import serve
from ray._common.usage.usage_lib import usage_stats_enabled
from ray.serve.llm import LLMConfig
from ray.serve.llm.deployment import LLMServer
from starlette.exceptions import HTTPException

from runtime.engine.adapter_source import AdapterSource, have_adapter
from runtime.engine.adapters import Adapters, UnknownAdapter
from runtime.engine.errors import WeightsError
from runtime.engine.exchange import exchange
from runtime.engine.mirror import Snapshot
from runtime.engine.nodes import on_every_node
from runtime.engine.not_offered import not_offered
from runtime.engine.refusal import Refusal, unavailable_adapter, unknown_adapter
from runtime.engine.startup import Startup
from runtime.engine.terms import apply
from runtime.engine.vllm import Engine
from runtime.replica.references import resolve
from runtime.replica.work import Work

_PAUSE_S = 0.05
"""How long a stream collects what comes after its first piece, as Ray's own server does by default: every piece costs
each process on its way about as much as a token costs vLLM. Ray's server lets the first token wait too."""


class EngineServer(LLMServer):
    """One replica of a model."""

    _default_engine_cls = Engine

    # Ray Serve awaits it.
    async def __init__(self, llm_config: LLMConfig, *, config: Mapping[str, Any]) -> None:  # type: ignore[misc]
        """Start the engine; returns when the model answers.

        `llm_config` is what the deployment's resources were computed from; `config` is the same as it was written,
        and is resolved here, on the node where the model runs.

        Raises:
            LookupError: a variable that `config` refers to is not set on this node.
            WeightsError: the weights cannot be had, or are not whole; as the cause of another exception.
        """
        del llm_config
        resolved = LLMConfig(**resolve(config, os.environ))
        resolved.callback_config.callback_class = Startup
        # vLLM's application would ask for this key; the gateway has asked for its own already and passes none on.
        os.environ.pop("VLLM_API_KEY", None)
        await super().__init__(resolved)
        # Ray runs this only for a server that `serve.ingress` has wrapped, whose replica then listens by itself. Its
        # lifespan is not run: all it does is to print statistics, and Ray's metrics have them.
        self._application = await self.__serve_build_asgi_app__()
        self._application.add_exception_handler(HTTPException, not_offered)
        self._work = Work()
        self._adapters = Adapters(resolved.model_id, self.engine, self._fetch_adapter, serve.multiplexed)
        self._about = {
            "vllm": vllm.__version__,
            "ray": ray.__version__,
            "weights": resolved.get_or_create_callback().weights(),
        }

    async def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """Take over which adapters there are (`Adapters.configure`). Returns at once: Serve sends a replica no requests
        until it has, and stops one that raises."""
        self._adapters.configure(user_config)

    async def answer(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any] | bytes, None]:
        """The answer of the application that `vllm serve` serves: `{"status": int, "headers": [[name, value], ...]}`,
        then its body in pieces.

        `request` has `method`, `path`, `headers` (pairs of text, the names in lower case), `body` (bytes), perhaps
        `terms` (`runtime.engine.terms`), and `adapter`, the id of the adapter whose full name the body has as `model`.
        Closing the generator stops the generation.
        """
        with self._work.request():
            async with AsyncExitStack() as stack:
                if (refusal := await self._have_adapter(request.get("adapter"), stack)) is not None:
                    for part in refusal:
                        yield part
                    return
                parts = exchange(self._application, apply(request, self.engine.decode), _PAUSE_S)
                await stack.enter_async_context(aclosing(parts))
                async for part in parts:
                    yield part

    async def adapters(self) -> list[str]:
        """The ids of the adapters below `dynamic_lora_loading_path`, sorted, not older than half a minute.

        Raises:
            WeightsError: the path cannot be read.
        """
        return list(await self._adapters.ids())

    async def work(self) -> dict[str, Any]:
        """What this replica has had to do so far (`Work.report`), its id, `replica`, and what it runs, `about`."""
        replica = serve.get_replica_context().replica_id.unique_id
        return {"replica": replica, **self._work.report(), "about": await self.about()}

    async def about(self) -> dict[str, Any]:
        """What this replica runs: the versions of `vllm` and `ray`, the `weights` it has loaded, with their `source`
        and the `revision` that it came to (None where nobody knows), and its `adapters` by id (`Adapter.report`)."""
        return {**self._about, "adapters": self._adapters.report()}

    async def _have_adapter(self, adapter_id: str | None, stack: AsyncExitStack) -> Refusal | None:
        """Have the adapter in use until the stack ends, or say why not."""
        if adapter_id is None:
            return None
        try:
            await stack.enter_async_context(self._adapters.used(adapter_id))
        except UnknownAdapter:
            return unknown_adapter(self._llm_config.model_id, adapter_id)
        except WeightsError as error:
            return unavailable_adapter(self._llm_config.model_id, adapter_id, str(error))
        return None

    async def _fetch_adapter(self, source: AdapterSource) -> Snapshot:
        context = self._llm_config.get_or_create_callback().ctx
        found = await on_every_node(
            have_adapter, source, placement_group=context.placement_group, runtime_env=context.runtime_env
        )
        return found[0]

    async def _maybe_resolve_lora_from_multiplex(self) -> None:
        # Ray would fetch the adapter here, to a folder that adapters of two models may share. It is there already.
        return

    async def _start_engine(self) -> None:
        if usage_stats_enabled():
            await super()._start_engine()
        else:
            # Ray starts its telemetry agent (a process, 4 s) even where the operator has switched reports off.
            await self.engine.start()
