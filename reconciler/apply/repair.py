"""What is wrong with Serve itself, as far as it shows from outside, and whether a repair has mended it."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.apply.clock import Clock
from reconciler.plan.poison import poisoned
from reconciler.serve.errors import ServeError, Unauthorized
from reconciler.serve.protocols import ServeReader
from reconciler.serve.stored import Remedy, StoredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState, UnknownState

PROOF_S = 120.0
"""Seconds in which a controller has to list everything again."""
_POLL_S = 1.0


def look(reader: ServeReader) -> LiveState | UnknownState:
    """What is live; a Serve that does not answer while the dashboard does is unknown as well. Raises `Unauthorized`."""
    try:
        return reader.live_state()
    except Unauthorized:
        raise
    except ServeError as error:
        return UnknownState(error.message, error.hint or "", is_lost=True)


def symptoms(live: LiveState | UnknownState) -> tuple[str, ...]:
    """What makes a look at the stored configs worth while, in sentences; nothing for a Serve that seems well."""
    if isinstance(live, UnknownState):
        return (live.reason,)
    if not live.applications:
        return ("Serve lists no application",)
    return tuple(text for entry in live.applications for text in _symptoms(entry))


def _symptoms(entry: LiveApplication) -> Iterator[str]:
    wrong = poisoned([entry.application] if entry.application else [])
    if wrong is not None:
        yield wrong
    elif entry.declarative and entry.status is ApplicationStatus.DEPLOYING and not entry.deployments:
        yield f"`{entry.name}` is {entry.status} and has no deployments"


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands there after a repair: the applications listed, how many replicas of before go on, and what is
    missing, in sentences."""

    applications: tuple[str, ...]
    replicas: int
    missing: tuple[str, ...]


def prove(reader: ServeReader, before: StoredState, dropped: frozenset[str], clock: Clock) -> Proof:
    """Wait until Serve lists everything that was there before, with the replicas that were not to be replaced."""
    deadline = clock.now() + PROOF_S
    while True:
        live = look(reader)
        found = _proof(live, before, dropped)
        if not found.missing or clock.now() >= deadline:
            return found
        clock.sleep(_POLL_S)


def _proof(live: LiveState | UnknownState, before: StoredState, dropped: frozenset[str]) -> Proof:
    if isinstance(live, UnknownState):
        return Proof((), 0, (live.reason,))
    missing: list[str] = []
    kept = 0
    for stored in before.applications:
        if stored.name in dropped:
            continue
        entry = live.application(stored.name)
        if entry is None:
            missing.append(f"`{stored.name}` is not listed")
            continue
        listed = {replica.replica_id for found in entry.deployments for replica in found.replicas} | {*entry.unlisted}
        kept += len(listed.intersection(stored.replica_ids))
        lost = set(stored.replica_ids) - listed
        if lost and stored.remedy is not Remedy.VALUES_AS_TEXT:
            missing.append(
                f"`{stored.name}` does not list its replicas {', '.join(f'`{one}`' for one in sorted(lost))}"
            )
    missing += [f"`{name}` is not listed" for name in before.imperative if live.application(name) is None]
    missing += [text for text in symptoms(live) if "not text" in text]
    return Proof(tuple(sorted(entry.name for entry in live.applications)), kept, tuple(missing))
