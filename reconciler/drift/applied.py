"""What earlier applies put on the cluster, and which side moved since."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.drift.report import DriftField, Origin
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.diff import diff
from reconciler.plan.match import difference
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import LiveApplication, LiveState


@dataclass(frozen=True, slots=True)
class Applied:
    """One apply that the cluster remembers, compiled again from its commit."""

    commit: str
    time: str | None
    """When it began, ISO 8601."""
    desired: DesiredState
    applications: frozenset[str] | None = None
    """The applications that it was limited to; None when it was for all."""

    def covers(self, name: str) -> bool:
        """Whether that apply was for the application."""
        return self.applications is None or name in self.applications


@dataclass(frozen=True, slots=True)
class Moved:
    """Who moved, over a whole application and field by field."""

    origin: Origin
    fields: tuple[DriftField, ...]


def last_for(name: str, applies: Sequence[Applied]) -> Applied | None:
    """The newest apply that was for the application; `applies` has the newest first."""
    return next((applied for applied in applies if applied.covers(name)), None)


def moved(
    entry: DesiredApplication, there: LiveApplication, change: Change, applies: Sequence[Applied], live: LiveState
) -> Moved:
    """Who moved, for an application that differs by `change` from what the registry wants.

    What is live and equal to what any remembered apply put there was not touched behind the registry's back: a later
    apply held or failed, and left it as it was.
    """
    candidates = (applied.desired.application(entry.name) for applied in applies if applied.covers(entry.name))
    compiled = [found for found in candidates if found is not None]
    if not compiled:
        return Moved(Origin.UNKNOWN, tuple(DriftField(field, Origin.UNKNOWN) for field in change.fields))
    for earlier in compiled:
        if not difference(earlier, there, live).fields:
            fields = tuple(
                DriftField(field, Origin.REGISTRY, field.before, field.before_set) for field in change.fields
            )
            return Moved(Origin.REGISTRY, fields)
    last = compiled[0]
    behind = {field.path: field for field in difference(last, there, live).fields}
    merged = {field.path: field for field in diff(last.application, entry.application).fields}
    fields = tuple(_field(field, behind, merged) for field in change.fields)
    return Moved(together(field.origin for field in fields), fields)


def together(origins: Iterator[Origin] | Collection[Origin]) -> Origin:
    """The origin of an application whose fields have these."""
    found = set(origins)
    if len(found) == 1:
        return found.pop()
    return Origin.UNKNOWN if Origin.UNKNOWN in found or not found else Origin.BOTH


def _field(field: FieldChange, behind: Mapping[str, FieldChange], merged: Mapping[str, FieldChange]) -> DriftField:
    on_cluster, in_registry = _touches(field.path, behind), _touches(field.path, merged)
    if on_cluster and in_registry:
        exact = behind.get(field.path)
        value = exact.after if exact else None
        return DriftField(field, Origin.BOTH, value, bool(exact and exact.after_set))
    if on_cluster:
        return DriftField(field, Origin.CLUSTER, field.after, field.after_set)
    return DriftField(field, Origin.REGISTRY, field.before, field.before_set)


def _touches(path: str, paths: Collection[str]) -> bool:
    """Whether one of the paths is this one, above or below it."""
    return any(path == other or _is_below(path, other) or _is_below(other, path) for other in paths)


def _is_below(path: str, above: str) -> bool:
    return path.startswith(above) and path[len(above) : len(above) + 1] in (".", "[")
