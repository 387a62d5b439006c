"""What every model's replicas have had to do, in bounded time, whatever state they are in."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from runtime.gateway import work
from runtime.gateway.route import Route

BUSY = {"requests": 3, "ongoing": 1, "last_s": 0.5, "watched_s": 9.0}


def route(name: str) -> Route:
    return Route(name, name, f"LLMServer:{name}", "generation")


def test_a_model_that_is_down_or_does_not_answer_is_null_and_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_LIMIT_S", 0.05)

    async def ask(one: Route) -> list[Mapping[str, Any]]:
        if one.model_id == "hangs":
            await asyncio.Event().wait()
        if one.model_id == "down":
            raise ConnectionError("nobody is there")
        if one.model_id == "nameless":
            return [BUSY, BUSY]
        return [{"replica": "r1", **BUSY}, {"replica": "r2", **BUSY}]

    routes = [route(name) for name in ("busy", "nameless", "down", "hangs")]
    found = asyncio.run(asyncio.wait_for(work.work_of(routes, ask), 30))
    assert found == {
        "models": {
            "busy": {"r1": BUSY, "r2": BUSY},
            "nameless": {"#0": BUSY, "#1": BUSY},
            "down": None,
            "hangs": None,
        }
    }
