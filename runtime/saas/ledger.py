"""One ledger for all replicas of all models of a cluster: an actor that the first model with a budget starts.

It needs no resources, outlives the replicas, so that a restart of theirs forgets nothing, and leaves when nobody has
asked it for longer than its longest window. When it fails, Ray starts it again and the replicas tell it what they know.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError

from runtime.saas.budget import SPANS, Ledger, Limit, Refusal, Used

NAME = "reconciler-budgets-1"
"""The actor's name. What it is asked is part of the name: a newer version that asks otherwise starts another one."""

NAMESPACE = "reconciler"

_PATIENCE_S = 2.0
"""How long a request waits for it."""

_IDLE_S = SPANS["day"] + 3600
_LOOK_S = 600


class LedgerActor:
    """The ledger as an actor."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._asked = 0
        self._leaving: asyncio.Task[None] | None = None

    async def admit(self, model: str, known: Used, limits: tuple[Limit, ...]) -> tuple[Refusal | None, Used]:
        """See `Ledger.admit`."""
        self._stay()
        return self._ledger.admit(model, known, limits)

    async def add(self, model: str, known: Used, amounts: Mapping[str, float]) -> Used:
        """See `Ledger.add`."""
        self._stay()
        return self._ledger.add(model, known, amounts)

    def _stay(self) -> None:
        self._asked += 1
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave_when_idle())

    async def _leave_when_idle(self) -> None:
        seen, idle_s = self._asked, 0
        while idle_s < _IDLE_S:
            await asyncio.sleep(_LOOK_S)
            idle_s = idle_s + _LOOK_S if seen == self._asked else 0
            seen = self._asked
        # `exit_actor` ends the actor from a call of its own, and this is none.
        ray.kill(ray.get_runtime_context().current_actor)


class SharedLedger:
    """A replica's way to the ledger, for one model. As long as the ledger does not answer, the replica goes on from
    what it last heard and counts only its own requests.
    """

    def __init__(self, model: str) -> None:
        """`model` is the name under which all replicas count."""
        self._model = model
        self._heard = Ledger()
        self._actor: Any = None
        self._telling: set[asyncio.Task[None]] = set()

    async def admit(self, limits: tuple[Limit, ...]) -> Refusal | None:
        """Count one more request, or say which limit is reached."""
        answer = await self._ask("admit", limits)
        if answer is None:
            return self._heard.admit(self._model, {}, limits)[0]
        refusal, used = answer
        self._heard.learn(self._model, used)
        return refusal

    def add(self, amounts: Mapping[str, float]) -> None:
        """Count what an answer took; nobody waits for it."""
        task = asyncio.create_task(self._add(amounts))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _add(self, amounts: Mapping[str, float]) -> None:
        used = await self._ask("add", amounts)
        if used is None:
            self._heard.add(self._model, {}, amounts)
        else:
            self._heard.learn(self._model, used)

    async def _ask(self, method: str, argument: Any) -> Any:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if self._actor is None:
                    self._actor = await asyncio.to_thread(_find)
                known = self._heard.known(self._model)
                return await getattr(self._actor, method).remote(self._model, known, argument)
        except (RayError, TimeoutError, ValueError):
            self._actor = None
            return None


def _find() -> Any:
    options = {"name": NAME, "namespace": NAMESPACE, "get_if_exists": True, "lifetime": "detached"}
    return ray.remote(LedgerActor).options(**options, num_cpus=0, max_restarts=-1).remote()
