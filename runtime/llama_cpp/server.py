"""The deployment of one model that llama.cpp runs: its own HTTP server, in this process, and the way to it."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from importlib.metadata import version
from typing import Any

import ray
from ray import serve

from runtime.llama_cpp.exchange import LocalServer
from runtime.llama_cpp.params import common_params
from runtime.llama_cpp.source import find_gguf
from runtime.llama_cpp.terms import TermsRefused, apply
from runtime.replica.references import resolve
from runtime.replica.work import Work


class LlamaCppServer:
    """One replica."""

    # Ray Serve awaits it.
    async def __init__(  # type: ignore[misc]
        self, model_id: str, ray_actor_options: Mapping[str, Any], config: Mapping[str, Any]
    ) -> None:
        """Load the model; returns when it answers.

        Raises:
            FileNotFoundError: the GGUF file is not where `config` says.
            LookupError: a variable that `config` refers to is not set on this node.
            RuntimeError: llama.cpp is not installed, cannot use this node's GPUs, or cannot load the file.
            ValueError: a parameter does not exist or does not take its value.
        """
        resolved = resolve(config, os.environ, "llama_cpp")
        key = secrets.token_hex(16)
        file = await asyncio.to_thread(find_gguf, resolved["source"], resolved.get("file"))
        cpus, gpus = ray_actor_options["num_cpus"], ray_actor_options["num_gpus"]
        self._llama = await asyncio.to_thread(_started, resolved, model_id, file, cpus, gpus, key)
        self._server = LocalServer(self._llama.listening_address, key)
        self._work = Work()
        self._about = {
            "xllamacpp": version("xllamacpp"),
            "ray": ray.__version__,
            "weights": {"source": file, "revision": None},
        }
        await self._server.wait()

    async def answer(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any] | bytes, None]:
        """The answer of llama.cpp's own server: `{"status": int, "headers": [[name, value], ...]}`, then its body in
        pieces.

        `request` has `method`, `path`, `headers` (pairs of text, the names in lower case), `body` (bytes) and perhaps
        `terms` (`runtime.llama_cpp.terms`). Closing the generator stops the generation.
        """
        with self._work.request():
            try:
                asked = await apply(request, self._server)
            except TermsRefused as error:
                yield error.head
                yield error.body
                return
            async with aclosing(self._server.exchange(asked)) as pieces:
                async for piece in pieces:
                    yield piece

    async def work(self) -> dict[str, Any]:
        """What this replica has had to do so far (`Work.report`), its id, `replica`, and what it runs, `about`."""
        replica = serve.get_replica_context().replica_id.unique_id
        return {"replica": replica, **self._work.report(), "about": await self.about()}

    async def about(self) -> dict[str, Any]:
        """What this replica runs: the versions of `xllamacpp` and `ray`, and the `weights` it has loaded, the path of
        the file on its node."""
        return self._about

    async def check_health(self) -> None:
        """Raises when llama.cpp does not answer."""
        await self._server.check()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._server.close()


def _started(config: Mapping[str, Any], model_id: str, file: str, cpus: float, gpus: float, key: str) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        message = (
            "llama.cpp is not on this node: `pip install xllamacpp`, in the image or the model's `runtime_env.pip`"
        )
        raise RuntimeError(message) from error
    if gpus and all(device["type"].name == "GGML_BACKEND_DEVICE_TYPE_CPU" for device in xllamacpp.get_device_info()):
        raise RuntimeError(
            "the model has GPUs that this build of xllamacpp cannot use: install the one for them from "
            "https://xorbitsai.github.io/xllamacpp/whl, or write `num_gpus_per_worker: 0`"
        )
    params = common_params(config, model_id, file, cpus=cpus, gpus=gpus, key=key)
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise RuntimeError(f"llama.cpp cannot load {file}: {error}") from error
