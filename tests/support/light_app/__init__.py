"""A Serve application without a model: starts in a second or two, answers over HTTP, and misbehaves as told.

It runs in the cluster, uploaded the way the product uploads its own code.
"""

import time
from typing import Any

from ray import serve


@serve.deployment(name="Light", ray_actor_options={"num_cpus": 0})
class Light:
    """Answers with its text, its replica's id and its `user_config`."""

    def __init__(self, args: dict[str, Any]) -> None:
        time.sleep(args.get("startup_s", 0))
        if args.get("fail"):
            raise RuntimeError(args["fail"])
        self._text = args.get("text", "")
        self._user_config: Any = None

    def reconfigure(self, user_config: Any) -> None:
        """Ray calls it with the `user_config`, at the start and whenever it changes."""
        self._user_config = user_config

    async def __call__(self, request: Any) -> dict[str, Any]:
        """One request."""
        replica = serve.get_replica_context().replica_id.unique_id
        return {"text": self._text, "replica": replica, "user_config": self._user_config}


def build(args: dict[str, Any]) -> serve.Application:
    """The application. `args`: `owner`, `text`, `startup_s`, `fail` (why the replica fails), `build_fail`."""
    if args.get("build_fail"):
        raise RuntimeError(args["build_fail"])
    return Light.bind(args)


rebuild = build
"""The same under another import path."""
