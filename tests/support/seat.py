"""One of several callers of a cluster in memory: each of its calls is a turn of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.serve.job import Job
from reconciler.state.json_value import same
from reconciler.state.live import ApplicationStatus, LiveState, UnknownState
from tests.support.fake_serve import FakeServe
from tests.support.turns import Turns


@dataclass
class Seat:
    """A client and a clock."""

    serve: FakeServe
    turns: Turns
    name: str
    tells: bool = True
    """Whether the dashboard's log can be read."""
    losses: list[list[str]] = field(default_factory=list)
    """For each PUT the applications of others that it turned back or deleted, or brought back."""

    def live_state(self) -> LiveState | UnknownState:
        with self._turn():
            return self.serve.live_state()

    def look_again(self) -> LiveState | UnknownState:
        return self.live_state()

    def other_writers(self) -> tuple[str, ...]:
        with self._turn():
            return self.serve.other_writers() if self.tells else ()

    def put(self, document: Mapping[str, Any]) -> None:
        with self._turn():
            self.losses.append(self._lost(document))
            self.serve.put(document)

    def jobs(self) -> tuple[Job, ...]:
        with self._turn():
            return self.serve.jobs()

    def submit_job(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        with self._turn():
            return self.serve.submit_job(job_id, entrypoint, metadata)

    def stop_job(self, job_id: str) -> None:
        with self._turn():
            self.serve.stop_job(job_id)

    def delete_job(self, job_id: str) -> None:
        with self._turn():
            self.serve.delete_job(job_id)

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        """No logs."""
        return ""

    def actor_output(self, actor_id: str, lines: int = 200) -> str:
        """No outputs."""
        return ""

    def upload_package(self, name: str, content: bytes) -> None:
        """Nothing to upload."""

    def now(self) -> float:
        """The cluster's time."""
        return self.serve.now

    def sleep(self, seconds: float) -> None:
        """Time passes for all."""
        with self._turn():
            self.serve.advance(seconds)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self.turns.turn(self.name):
            self.serve.caller = self.name
            yield

    def _lost(self, document: Mapping[str, Any]) -> list[str]:
        """What the document takes from others, by what is live at this moment."""
        self.serve.caller = "nobody"
        state = self.serve.live_state()
        self.serve.caller = self.name
        assert isinstance(state, LiveState)
        theirs = {
            entry.name: entry.application.config
            for entry in state.applications
            if entry.application is not None and entry.application.owner != self.name
            if entry.status is not ApplicationStatus.DELETING
        }
        sent = {config["name"]: config for config in document["applications"] if config["args"]["owner"] != self.name}
        return sorted(
            name
            for name in theirs.keys() | sent.keys()
            if name not in theirs or name not in sent or not same(dict(theirs[name]), dict(sent[name]))
        )
