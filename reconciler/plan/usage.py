"""Deletes of models that somebody still uses, as far as the gateway can tell."""

from collections.abc import Collection, Iterator

from reconciler.plan.match import Candidate, Match, is_owned
from reconciler.plan.plan import ActionKind
from reconciler.plan.routes import Routes, by_application, live_routes
from reconciler.plan.text import duration, plural
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.traffic import Traffic, UnknownTraffic

RECENT_S = 3600.0
"""A model that had no request for so long counts as unused."""

Usage = Traffic | UnknownTraffic | None
"""What is known about requests; None where nobody asked, because nothing depends on it."""


def deletes(desired: DesiredState, live: LiveState) -> bool:
    """Whether a plan may delete a model, so that it matters who uses it."""
    wanted = {entry.name for entry in desired.applications}
    return any(
        entry.name not in wanted and entry.status is not ApplicationStatus.DELETING and is_owned(entry, desired.owner)
        for entry in live.applications
    )


def still_in_use(found: Match, usage: Usage, wanted: Routes) -> Iterator[tuple[Candidate, str, str]]:
    """Deletes of models with requests of late, why they are held, and what releases them."""
    if not isinstance(usage, Traffic):
        return
    for candidate, model_id in _orphaned(found, wanted):
        counted = usage.models.get(model_id)
        if counted is not None and counted.last_s < RECENT_S:
            yield (
                candidate,
                f"`{model_id}` still gets requests: {counted.requests} in the {duration(usage.watched_s)} that the "
                f"gateway has counted, the latest {duration(counted.last_s)} ago",
                "lead its clients elsewhere and wait for an hour without a request, or plan with `--allow-delete`",
            )


def unknown_usage(found: Match, usage: Usage, wanted: Routes, held: Collection[str]) -> Iterator[str]:
    """A warning for the deletes that go ahead although nobody knows whether their models are used."""
    names = [f"`{model_id}`" for candidate, model_id in _orphaned(found, wanted) if candidate.name not in held]
    if not names or usage is None:
        return
    told = ", ".join(names[:5]) + (f" and {plural(len(names) - 5, 'other')}" if len(names) > 5 else "")
    if isinstance(usage, UnknownTraffic):
        yield f"whether {told} still get requests is not known: {usage.reason}"
    elif usage.watched_s < RECENT_S:
        yield (f"{told} had no request since the gateway began to count, which is only {duration(usage.watched_s)} ago")


def _orphaned(found: Match, wanted: Routes) -> Iterator[tuple[Candidate, str]]:
    """Deletes of models that leave an id or alias without anybody who answers to it."""
    if not any(candidate.kind is ActionKind.DELETE for candidate in found.candidates):
        return
    live = live_routes(found.owned)
    models = by_application(live)
    answered = {name for model_id, route in wanted.items() for name in (model_id, *_aliases(route))}
    for candidate in found.candidates:
        if candidate.kind is ActionKind.DELETE and candidate.name in models:
            model_id, route = models[candidate.name]
            if not answered >= {model_id, *_aliases(route)}:
                yield candidate, model_id


def _aliases(route: object) -> tuple[str, ...]:
    aliases = route.get("aliases") if isinstance(route, dict) else None
    return tuple(name for name in aliases if isinstance(name, str)) if isinstance(aliases, list) else ()
