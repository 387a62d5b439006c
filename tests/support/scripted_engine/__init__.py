"""An engine without a model: each request carries the script of its own answer, a list of steps under `script`.

| step | what happens |
|---|---|
| `{"head": status, "type": text}` | the head, with that content type; else a piece brings one of an event stream |
| `{"say": text}` | a piece of the body |
| `{"say_self": null}` | a piece: the replica's id |
| `{"say_request": null}` | a piece: the request as JSON, its body as text |
| `{"wait": seconds}` | nothing, and another request can go on |
| `{"wait_for": path}` | nothing, until that file is there |
| `{"block": seconds}` | nothing, and the whole replica stands still |
| `{"raise": text}` | the engine fails |
| `{"die": null}` | the replica's process ends |
| `{"die_unless": path}` | the same, the first time |

What becomes of a request is written to the file under `log`, one line each: `began`, `ended`, `cancelled` or `failed`,
and the replica's id.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from ray import serve


class ScriptedEngine:
    """One replica."""

    def __init__(self, startup_s: float) -> None:
        time.sleep(startup_s)
        self._requests = 0
        self._ongoing = 0

    async def answer(self, request: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """What the script says."""
        told = json.loads(request["body"])
        self._requests += 1
        self._ongoing += 1
        how = "ended"
        self._log(told, "began")
        try:
            begun = False
            for step in told.get("script") or [{"say_self": None}]:
                (verb, value), *_ = step.items()
                if verb == "head":
                    yield {"status": value, "headers": [["content-type", step.get("type", "text/event-stream")]]}
                    begun = True
                    continue
                piece = await self._do(verb, value, request)
                if piece is not None:
                    if not begun:
                        yield {"status": 200, "headers": [["content-type", "text/event-stream"]]}
                        begun = True
                    yield piece
        except (asyncio.CancelledError, GeneratorExit):
            how = "cancelled"
            raise
        except Exception:
            how = "failed"
            raise
        finally:
            self._ongoing -= 1
            self._log(told, how)

    async def work(self) -> dict[str, Any]:
        """As the engines of the product count."""
        return {
            "replica": replica(),
            "requests": self._requests,
            "ongoing": self._ongoing,
            "last_s": None,
            "watched_s": 1.0,
        }

    async def _do(self, verb: str, value: Any, request: Mapping[str, Any]) -> bytes | None:
        if verb == "say":
            return str(value).encode()
        if verb == "say_self":
            return replica().encode()
        if verb == "say_request":
            return json.dumps({**request, "body": request["body"].decode()}).encode()
        if verb == "wait":
            await asyncio.sleep(value)
        elif verb == "wait_for":
            while not Path(value).exists():
                await asyncio.sleep(0.05)
        elif verb == "block":
            time.sleep(value)
        elif verb == "raise":
            raise RuntimeError(value)
        elif verb == "die" or (verb == "die_unless" and first_time(value)):
            os._exit(1)
        return None

    def _log(self, told: Mapping[str, Any], event: str) -> None:
        if told.get("log"):
            with Path(told["log"]).open("a") as file:
                file.write(f"{event} {replica()}\n")


def first_time(path: str) -> bool:
    """Whether nobody has been here before."""
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def replica() -> str:
    """The id of this replica."""
    return str(serve.get_replica_context().replica_id.unique_id)


def build(args: Mapping[str, Any]) -> serve.Application:
    """The application. `args`: `deployment`, its name, and `startup_s`."""
    deployment = serve.deployment(name=args["deployment"], ray_actor_options={"num_cpus": 0})
    return deployment(ScriptedEngine).bind(args.get("startup_s", 0))
