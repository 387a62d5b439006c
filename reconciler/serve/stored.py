"""What the Serve controller has stored, as the job that looks at it reports it (`runtime/repair/stored_config.py`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.serve.answer import HINT, field
from reconciler.serve.errors import BadAnswer
from reconciler.serve.wire import REPLICA_ACTOR_PREFIX
from reconciler.state.json_value import JsonValue

MARK = "RECONCILER-REPAIR "
"""Before the one line of JSON in the job's output."""


class Remedy(StrEnum):
    """What takes the place of a stored config that Ray cannot build."""

    AS_IT_SERVES = "as-it-serves"
    """The config that its replicas run: proven by its code version, so they go on."""
    VALUES_AS_TEXT = "values-as-text"
    """The same with its environment variables as text. Ray builds it: a new version replaces what serves."""


@dataclass(frozen=True, slots=True)
class StoredApplication:
    """One application whose config is stored: what Ray cannot make of it (None: nothing wrong), what would take its
    place (None: nothing is known), and the ids of its replicas that live."""

    name: str
    fault: str | None
    remedy: Remedy | None
    replica_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredState:
    """What a controller has stored, and whether one lives that could read it."""

    controller_lives: bool
    shutting_down: bool
    """Somebody asked Serve to shut down, and that has not come to its end."""
    is_stored: bool
    """Whether there is anything that was submitted."""
    applications: tuple[StoredApplication, ...]
    imperative: tuple[str, ...]
    """Names of those that a program deployed: they have no stored config, and come back by themselves."""

    @property
    def faulty(self) -> tuple[StoredApplication, ...]:
        """Those whose config Ray cannot build."""
        return tuple(entry for entry in self.applications if entry.fault is not None)


def reported(output: str) -> Mapping[str, Any]:
    """The report in a job's output. Raises `BadAnswer`."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    try:
        found = json.loads(lines[-1].removeprefix(MARK)) if lines else None
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise BadAnswer("the job that looks at what Serve has stored gave no report", HINT)
    return found


def stored_state(report: JsonValue) -> StoredState:
    """A report as a value. Raises `BadAnswer`."""
    where = "the report on what Serve has stored"
    return StoredState(
        controller_lives=bool(field(report, "controller_lives", where)),
        shutting_down=bool(field(report, "shutting_down", where)),
        is_stored=bool(field(report, "stored", where)),
        applications=tuple(_application(entry, where) for entry in field(report, "applications", where)),
        imperative=tuple(str(name) for name in field(report, "imperative", where)),
    )


def _application(entry: JsonValue, where: str) -> StoredApplication:
    name, fault, remedy = (field(entry, key, where) for key in ("name", "fault", "remedy"))
    prefix = f"{REPLICA_ACTOR_PREFIX}{name}#"
    actors = [str(actor) for actor in field(entry, "replicas", where)]
    return StoredApplication(
        name=str(name),
        fault=None if fault is None else str(fault),
        remedy=None if remedy is None else Remedy(remedy),
        replica_ids=tuple(actor.rpartition("#")[2] for actor in actors if actor.startswith(prefix)),
    )
