"""A server of llama.cpp in this process, as a replica has one, and questions to it."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from runtime.llama_cpp.server import LlamaCppServer

OPTIONS = {"num_cpus": 1.0, "num_gpus": 0.0, "resources": {}}
"""What the replica has."""


@asynccontextmanager
async def serving(source: Path, **config: Any) -> AsyncIterator[LlamaCppServer]:
    """A server of a GGUF file; `params` are llama.cpp's, and what is None is left out."""
    params = {"n_batch": 64, "verbosity": 0, **config.pop("params", {})}
    given = {"source": str(source), "max_total_tokens": 256, **config, "params": params}
    server = LlamaCppServer.__new__(LlamaCppServer)
    # Ray Serve awaits it, too.
    await server.__init__("org/chat", OPTIONS, {key: value for key, value in given.items() if value is not None})
    try:
        yield server
    finally:
        await server.close()
        # The engine ends with its object, and takes a moment.
        await asyncio.to_thread(server.__dict__.pop, "_llama")


def request(path: str = "/v1/chat/completions", **fields: Any) -> dict[str, Any]:
    """A request as the gateway passes it on."""
    terms = fields.pop("terms", {})
    given = {"model": "org/chat", **fields}
    if path == "/v1/chat/completions":
        given = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 4, **given}
    headers = [["content-type", "application/json"]]
    return {"method": "POST", "path": path, "headers": headers, "body": json.dumps(given).encode(), "terms": terms}


async def ask(server: LlamaCppServer, asked: dict[str, Any]) -> tuple[int, Any]:
    """Status and JSON of an answer, or its text where it is none."""
    head, *parts = [part async for part in server.answer(asked)]
    assert isinstance(head, dict)
    assert all(isinstance(part, bytes) and part for part in parts)
    text = b"".join(part for part in parts if isinstance(part, bytes)).decode()
    return head["status"], json.loads(text) if text.startswith("{") else text
