"""Pairing what should be with what is: one Candidate for each application that would have to change.

A candidate is what the registry asks for before anybody objected: guards and the room on the nodes decide later what of
it becomes an Action and what a Hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.plan.change import Change, Impact
from reconciler.plan.diff import diff
from reconciler.plan.plan import ActionKind
from reconciler.plan.retry import retry
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState


@dataclass(frozen=True, slots=True)
class Candidate:
    """One application that would have to change: what is asked for, what is there, and what lies between."""

    kind: ActionKind
    desired: DesiredApplication | None
    """None for a delete."""
    live: LiveApplication | None
    """None for a create of something new; a create that meets an application of somebody else has it here."""
    change: Change

    @property
    def name(self) -> str:
        """The application's name."""
        return self.change.name

    @property
    def restarts(self) -> bool:
        """Whether running replicas are replaced."""
        return self.change.impact.restarts

    @property
    def starts_replicas(self) -> bool:
        """Whether all its replicas are new ones, though the application is there already."""
        return self.restarts or self.kind is ActionKind.RETRY


@dataclass(frozen=True, slots=True)
class Match:
    """Everything on both sides, paired by name."""

    candidates: tuple[Candidate, ...]
    """Sorted by name."""
    unchanged: tuple[LiveApplication, ...]
    """Ours and as the registry says."""
    owned: tuple[LiveApplication, ...]
    """All that is ours on the cluster."""
    unmanaged: tuple[str, ...]
    """Names of what is not ours."""


def match(desired: DesiredState, live: LiveState) -> Match:
    """Pair the applications. An application that Ray is deleting counts as gone."""
    present = {entry.name: entry for entry in live.applications if entry.status is not ApplicationStatus.DELETING}
    wanted = {entry.name: entry for entry in desired.applications}
    owned = tuple(entry for entry in present.values() if is_owned(entry, desired.owner))
    candidates = tuple(
        sorted((*_wanted(wanted, present, desired.owner, live), *_gone(wanted, owned)), key=lambda found: found.name)
    )
    touched = {candidate.name for candidate in candidates}
    return Match(
        candidates=candidates,
        unchanged=tuple(entry for entry in owned if entry.name not in touched),
        owned=owned,
        unmanaged=tuple(sorted(name for name, entry in present.items() if not is_owned(entry, desired.owner))),
    )


def is_owned(live: LiveApplication, owner: str) -> bool:
    """Whether a live application carries our mark; one deployed by a program never does."""
    return live.declarative and live.application is not None and live.application.owner == owner


def _wanted(
    wanted: Mapping[str, DesiredApplication], present: Mapping[str, LiveApplication], owner: str, live: LiveState
) -> Iterator[Candidate]:
    for name, entry in wanted.items():
        there = present.get(name)
        if there is None or not is_owned(there, owner):
            change = Change(name, None, entry.application, (), Impact.CREATE)
            yield Candidate(ActionKind.CREATE, entry, there, change)
            continue
        change = difference(entry, there, live)
        if there.status is ApplicationStatus.DEPLOY_FAILED and not change.impact.restarts:
            yield Candidate(ActionKind.RETRY, entry, there, retry(change, there))
        elif change.fields:
            yield Candidate(ActionKind.UPDATE, entry, there, change)


def difference(desired: DesiredApplication, there: LiveApplication, live: LiveState) -> Change:
    """What differs between an application as it should be and as it is."""
    return diff(
        there.application,
        desired.application,
        global_logging_config=live.global_logging_config,
        ray_version=live.ray_version,
    )


def _gone(wanted: Mapping[str, DesiredApplication], owned: tuple[LiveApplication, ...]) -> Iterator[Candidate]:
    for there in owned:
        if there.name not in wanted:
            yield Candidate(
                ActionKind.DELETE, None, there, Change(there.name, there.application, None, (), Impact.DELETE)
            )
