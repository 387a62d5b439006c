"""A Serve application without a model: starts in a second or two, answers over HTTP, and misbehaves as told.

It runs in the cluster, uploaded the way the product uploads its own code.
"""

import time
from pathlib import Path
from typing import Any

import ray
from ray import serve


@serve.deployment(name="Light", ray_actor_options={"num_cpus": 0}, graceful_shutdown_wait_loop_s=0.1)
class Light:
    """Answers with its text, its replica's id and its `user_config`."""

    def __init__(self, args: dict[str, Any]) -> None:
        time.sleep(args.get("startup_s", 0))
        if args.get("fail"):
            raise RuntimeError(args["fail"])
        need(args.get("needs"))
        self._text = args.get("text", "")
        self._user_config: Any = None

    def reconfigure(self, user_config: Any) -> None:
        """Ray calls it with the `user_config`, at the start and whenever it changes."""
        self._user_config = user_config

    async def __call__(self, request: Any) -> dict[str, Any]:
        """One request."""
        replica = serve.get_replica_context().replica_id.unique_id
        return {"text": self._text, "replica": replica, "user_config": self._user_config}


def need(path: str | None) -> None:
    """Something outside that may be mended: a file that has to be there."""
    if path and not Path(path).exists():
        raise RuntimeError(f"there is no {path}")


def build(args: dict[str, Any]) -> serve.Application:
    """The application. `args`: `owner`, `text`, `startup_s`, `fail` (why the replica fails), `build_fail`, `needs` (a
    file that the replica needs), `build_needs`, `retries` (how often a replica that fails is started, once by
    default)."""
    if args.get("build_fail"):
        raise RuntimeError(args["build_fail"])
    need(args.get("build_needs"))
    return Light.options(max_constructor_retry_count=args.get("retries", 1)).bind(args)


rebuild = build
"""The same under another import path."""


def gateway(args: dict[str, Any]) -> serve.Application:
    """The application under the name of the gateway's deployment, so that it remembers what the gateway does."""
    return Light.options(name="Gateway").bind(args)


@ray.remote(num_cpus=0)
class Keeper:
    """An actor that the replicas of a deployment share."""

    def __init__(self, **values: Any) -> None:
        self._values = values


def application_policy(contexts: dict[Any, Any]) -> tuple[dict[Any, int], dict[str, Any]]:
    """An autoscaling policy that leaves the numbers of replicas as they are."""
    return {name: context.target_num_replicas for name, context in contexts.items()}, {}
