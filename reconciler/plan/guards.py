"""What a plan refuses to do on its own, one named function each.

A guard looks at all candidates and names those it holds, why, and what would release them. A held application stays
exactly as it is live; the rest of the plan goes on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.plan.footing import replicas_after, target_replicas
from reconciler.plan.later import Later
from reconciler.plan.match import Candidate, Match
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import ActionKind
from reconciler.plan.routes import Routes, by_application, live_routes
from reconciler.plan.usage import Usage, still_in_use
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION

MASS_CHANGE_COUNT = 10
MASS_CHANGE_SHARE = 0.3
"""Above this share of so many models, or when every one of several is touched, a plan looks like a mistake."""

MASS_DELETE_COUNT = 2
MASS_DELETE_SHARE = 0.3
"""From this many deletes, and above this share of our models, a plan looks like a mistake."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What guards look at."""

    match: Match
    live: LiveState
    options: PlanOptions
    owner: str
    wanted: Routes = field(default_factory=dict)
    """The routing table that the registry asks for."""
    usage: Usage = None
    """Who uses the models, where that was asked."""


@dataclass(frozen=True, slots=True)
class Objection:
    """One candidate that a guard holds."""

    candidate: Candidate
    guard: str
    reason: str
    release: str


Guard = Callable[[Situation], Iterator[tuple[Candidate, str, str]]]


def objections(situation: Situation) -> Mapping[str, Objection]:
    """The first objection of each held candidate, by application name."""
    found: dict[str, Objection] = {}
    for name, guard in GUARDS.items():
        for candidate, reason, release in guard(situation):
            found.setdefault(candidate.name, Objection(candidate, name, reason, release))
    return found


def _imperative(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    for candidate in _creates(situation):
        if candidate.live is not None and not candidate.live.declarative:
            yield (
                candidate,
                f"a program deployed an application named `{candidate.name}` with `serve.run`, and it is not ours",
                f"run `serve.delete({candidate.name!r})` there, or give the model another `model_id`",
            )


def _owner_conflict(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    for candidate in _creates(situation):
        if candidate.live is not None:
            application = candidate.live.application
            owner = application.owner if application is not None else None
            whose = f"belongs to `{owner}`" if owner else "carries no owner"
            yield (
                candidate,
                f"an application named `{candidate.name}` is there already and {whose}; ours is `{situation.owner}`",
                "delete that application, or give our model another `model_id`",
            )


def _route_taken(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    holder = next(
        (
            entry.name
            for entry in situation.live.applications
            if entry.route_prefix == "/"
            and entry.name != GATEWAY_APPLICATION
            and entry.status is not ApplicationStatus.DELETING
        ),
        None,
    )
    for candidate in situation.match.candidates:
        if holder is not None and candidate.name == GATEWAY_APPLICATION:
            yield (
                candidate,
                f"the application `{holder}` serves the route `/`, where the gateway belongs",
                f"give `{holder}` another route_prefix, or delete it",
            )


def _protected(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    if situation.options.allow_protected:
        return
    remembered = Later(lambda: by_application(live_routes(situation.match.owned)))
    for candidate in situation.match.candidates:
        if candidate.desired is None:
            doomed = bool(remembered.get(candidate.name, ("", {}))[1].get("protect"))
        else:
            doomed = candidate.restarts and candidate.desired.rollout.protect
        if doomed:
            deed = "deleted" if candidate.desired is None else "restarted"
            yield (
                candidate,
                f"`{candidate.name}` is protected and would be {deed}",
                "apply `rollout.protect: false` first, or plan with `--allow-protected`",
            )


def _mass_delete(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    deletes = [candidate for candidate in situation.match.candidates if candidate.kind is ActionKind.DELETE]
    models = _models(situation)
    share = len(deletes) / models if models else 0.0
    if situation.options.allow_delete or len(deletes) < MASS_DELETE_COUNT or share <= MASS_DELETE_SHARE:
        return
    for candidate in deletes:
        yield (
            candidate,
            f"{len(deletes)} of {models} models would be deleted, more than {MASS_DELETE_SHARE:.0%}",
            "check that the registry is complete, then plan with `--allow-delete`",
        )


def _still_in_use(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    if not situation.options.allow_delete:
        yield from still_in_use(situation.match, situation.usage, situation.wanted)


def _outage(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    """Replacements without room for a successor are held by `plan.waves`; here is what stops service in any room."""
    if situation.options.allow_downtime:
        return
    for candidate in situation.match.candidates:
        there = candidate.live
        if candidate.kind is not ActionKind.UPDATE or there is None or not there.serves:
            continue
        if target_replicas(there) and not replicas_after(candidate.desired, there):
            yield (
                candidate,
                "any change of it sets its replicas back to `initial_replicas`, which is 0: all of them would stop",
                "take `initial_replicas` out of the file, or plan with `--allow-downtime`",
            )


def _mass_change(situation: Situation) -> Iterator[tuple[Candidate, str, str]]:
    """Restarts, because deletes have a guard and a flag of their own; but those that go ahead unasked count here too,
    so that one plan does not do a little of both. What another guard holds does not, and nothing is lost by restarting
    what does not serve."""
    if situation.options.allow_mass_change:
        return
    held = {
        candidate.name for guard in GUARDS.values() if guard is not _mass_change for candidate, _, _ in guard(situation)
    }
    candidates = [candidate for candidate in situation.match.candidates if candidate.name not in held]
    restarts = [
        candidate
        for candidate in candidates
        if candidate.kind is ActionKind.UPDATE
        and candidate.restarts
        and candidate.name != GATEWAY_APPLICATION
        and candidate.live
        and candidate.live.serves
    ]
    deletes = sum(candidate.kind is ActionKind.DELETE for candidate in candidates)
    if situation.options.allow_delete:
        deletes = 0
    models = _models(situation)
    touched = len(restarts) + deletes
    if touched < 2 or (touched < models and (models < MASS_CHANGE_COUNT or touched <= MASS_CHANGE_SHARE * models)):
        return
    what = f"{len(restarts)} of {models} models would be restarted" + (f" and {deletes} deleted" if deletes else "")
    for candidate in restarts:
        yield (
            candidate,
            what + (", all there are" if touched == models else f", more than {MASS_CHANGE_SHARE:.0%}"),
            "look at what they have in common, plan a part of them, or plan with `--allow-mass-change`",
        )


def _models(situation: Situation) -> int:
    """How many models of ours are on the cluster."""
    return sum(entry.name != GATEWAY_APPLICATION for entry in situation.match.owned)


def _creates(situation: Situation) -> Iterator[Candidate]:
    return (candidate for candidate in situation.match.candidates if candidate.kind is ActionKind.CREATE)


GUARDS: Mapping[str, Guard] = {
    "imperative": _imperative,
    "owner-conflict": _owner_conflict,
    "route-taken": _route_taken,
    "protected": _protected,
    "mass-delete": _mass_delete,
    "still-in-use": _still_in_use,
    "outage": _outage,
    "mass-change": _mass_change,
}
"""Every guard by the name people see, first come first served. Those that need to know the room on the nodes are in
`plan.waves`."""
