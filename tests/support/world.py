"""A cluster as the contract tests see it: `FakeServe` with its own time, or real Ray with everybody's."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.serve.protocols import ServeReader, ServeWriter
from reconciler.state.live import ApplicationStatus, LiveState

_POLL_S = 0.25
_MOVING = (ApplicationStatus.DEPLOYING, ApplicationStatus.DELETING, ApplicationStatus.NOT_STARTED)


@dataclass
class World:
    """Reads and writes a cluster, and lets time pass on it."""

    reader: ServeReader
    writer: ServeWriter
    pass_time: Callable[[float], None] = time.sleep
    history: list[LiveState] = field(default_factory=list)
    """What was seen while waiting, oldest first."""

    def state(self) -> LiveState:
        """What the cluster reports now; it has to be believable."""
        state = self.reader.live_state()
        assert isinstance(state, LiveState), state
        self.history.append(state)
        return state

    def put(self, configs: Iterable[Mapping[str, Any]]) -> None:
        """PUT these applications, and the cluster-wide options as they are."""
        self.writer.put({**self.state().options, "applications": list(configs)})

    def settle(self, limit_s: float = 400.0) -> LiveState:
        """Wait until no application moves and no replica starts or stops."""
        waited = 0.0
        while True:
            state = self.state()
            if not any(_moves(state)):
                return state
            assert waited < limit_s, f"still moving after {limit_s} s: {state.applications}"
            self.pass_time(_POLL_S)
            waited += _POLL_S

    def apply(self, configs: Iterable[Mapping[str, Any]]) -> LiveState:
        """PUT and wait."""
        self.put(configs)
        return self.settle()


def _moves(state: LiveState) -> Iterable[bool]:
    for application in state.applications:
        yield application.status in _MOVING
        for deployment in application.deployments:
            yield deployment.status in ("UPDATING", "UPSCALING", "DOWNSCALING")
            yield any(replica.state != "RUNNING" for replica in deployment.replicas)
