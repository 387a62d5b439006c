"""A plan for some models alone: everything else stays as it is live.

What is left of the desired state are the chosen models, and the gateway as it runs with nothing but their entries of
its routing table brought up to date. The gateway's own settings change only when it is chosen by name, or when it is
not there yet.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from reconciler.plan.diff import path_text
from reconciler.plan.footing import live_bundles
from reconciler.plan.match import Candidate, Match, is_owned
from reconciler.plan.routes import Routes, by_application, live_routes, routes_of, with_table
from reconciler.plan.text import quoted
from reconciler.state.application import Application
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT, application_name

_PATTERN = frozenset("*?[")


class SelectionError(Exception):
    """Models cannot be chosen like this: why, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Selection:
    """The applications that a plan is about, by name."""

    chosen: frozenset[str]

    def narrow(self, found: Match) -> Match:
        """The match without what was not chosen. The gateway stays: its difference is narrow already."""
        inside = self.chosen | {GATEWAY_APPLICATION}
        return replace(
            found,
            candidates=tuple(one for one in found.candidates if one.name in inside),
            unchanged=tuple(entry for entry in found.unchanged if entry.name in inside),
        )


def select(patterns: Collection[str], desired: DesiredState, live: LiveState) -> Selection | None:
    """The models that these names and patterns mean, those of the registry and ours on the cluster; None where there is
    no pattern, which means everything. Raises `SelectionError` for one that means none."""
    if not patterns:
        return None
    names = _names(desired, live)
    chosen: set[str] = set()
    for pattern in patterns:
        found = {application for name, application in names.items() if _matches(name, pattern)}
        if not found:
            raise _unknown(pattern, sorted(names.items()))
        chosen |= found
    return Selection(frozenset(chosen))


def narrowed(desired: DesiredState, live: LiveState, selection: Selection) -> DesiredState:
    """What the registry wants of the chosen models, and the gateway beside them. Raises `SelectionError` when a chosen
    model would answer to a name that another one still has on the cluster."""
    models = tuple(
        entry for entry in desired.applications if entry.name in selection.chosen and entry.name != GATEWAY_APPLICATION
    )
    return replace(desired, applications=(_gateway(desired, live, selection.chosen), *models))


def left_out(everything: Match, chosen: Match) -> tuple[str, ...]:
    """Names of what differs and is not part of the plan."""
    planned = {candidate.name for candidate in chosen.candidates} - {GATEWAY_APPLICATION}
    return tuple(
        one.name
        for one in everything.candidates
        if one.name not in planned and (one.name != GATEWAY_APPLICATION or _has_settings(one, chosen))
    )


def _has_settings(gateway: Candidate, chosen: Match) -> bool:
    """Whether more of the gateway differs than its routing table, and that is no part of the plan."""
    planned = next((one for one in chosen.candidates if one.name == GATEWAY_APPLICATION), None)
    done = {field.path for field in planned.change.fields} if planned else set()
    table = path_text(("deployments", GATEWAY_DEPLOYMENT, "user_config", "models"))
    return any(field.path not in done and not field.path.startswith(table) for field in gateway.change.fields)


def _names(desired: DesiredState, live: LiveState) -> dict[str, str]:
    """The application by each name that means it: its own, and the id of its model."""
    owned = [entry for entry in live.applications if is_owned(entry, desired.owner)]
    remembered = by_application(live_routes(owned))
    names = {entry.name: entry.name for entry in owned}
    names |= {remembered[name][0]: name for name in names.keys() & remembered.keys()}
    names |= {entry.name: entry.name for entry in desired.applications}
    return names | {entry.model.model_id: entry.name for entry in desired.applications if entry.model}


def _matches(name: str, pattern: str) -> bool:
    # The gateway is no model: only its very name means it.
    return name == pattern or (name != GATEWAY_APPLICATION and fnmatchcase(name, pattern))


def _unknown(pattern: str, names: list[tuple[str, str]]) -> SelectionError:
    ids = [name for name, application in names if name != application] or [name for name, _ in names]
    if _PATTERN & set(pattern):
        return SelectionError(f"no model matches `{pattern}`", f"there are {quoted(ids)}")
    by_spelling = {spelling.lower(): name for name, application in names for spelling in (name, application)}
    near = get_close_matches(application_name(pattern).lower(), by_spelling, n=1) or get_close_matches(
        pattern.lower(), by_spelling, n=1
    )
    return SelectionError(
        f"no model `{pattern}` in the registry or on the cluster",
        f"did you mean `{by_spelling[near[0]]}`?" if near else f"there are {quoted(ids)}",
    )


def _gateway(desired: DesiredState, live: LiveState, chosen: Collection[str]) -> DesiredApplication:
    wanted = next(entry for entry in desired.applications if entry.name == GATEWAY_APPLICATION)
    there = _live_gateway(desired, live)
    table = _table(routes_of(wanted.application), _live_table(there), chosen)
    base = wanted if there is None or GATEWAY_APPLICATION in chosen else _as_live(wanted, there)
    return replace(base, application=with_table(base.application, table))


def _live_gateway(desired: DesiredState, live: LiveState) -> Application | None:
    there = live.application(GATEWAY_APPLICATION)
    if there is None or there.status is ApplicationStatus.DELETING or not is_owned(there, desired.owner):
        return None
    # One without its deployment cannot take a routing table: it has to be brought back as a whole.
    application = there.application
    return application if application is not None and GATEWAY_DEPLOYMENT in application.deployments else None


def _live_table(gateway: Application | None) -> Mapping[str, JsonValue]:
    """The live table with everything that stands in it, of our making or not."""
    user_config = gateway.deployments[GATEWAY_DEPLOYMENT].get("user_config") if gateway else None
    models = user_config.get("models") if isinstance(user_config, dict) else None
    return models if isinstance(models, dict) else {}


def _table(wished: Routes, present: Mapping[str, JsonValue], chosen: Collection[str]) -> dict[str, JsonValue]:
    """The live table with the chosen models' entries in place of theirs."""
    kept = {
        model_id: route
        for model_id, route in present.items()
        if not (isinstance(route, dict) and route.get("application") in chosen)
    }
    new = {model_id: route for model_id, route in wished.items() if route["application"] in chosen}
    taken = {name: model_id for model_id, route in kept.items() for name in _answers_to(model_id, route)}
    for model_id, route in new.items():
        for name in _answers_to(model_id, route):
            if name in taken:
                raise SelectionError(
                    f"`{name}` is to mean `{model_id}`, and still means `{taken[name]}` on the cluster",
                    f"plan them together: `--model {model_id} --model {taken[name]}`",
                )
    table = {**kept, **new}
    for model_id, route in table.items():
        for other in _answered_by(route):
            if other not in table and (model_id in new or other in present):
                raise SelectionError(
                    f"`{other}` answers for `{model_id}`, and is not on the cluster without being planned",
                    f"plan them together: `--model {model_id} --model {other}`",
                )
    return table


def _answered_by(route: JsonValue) -> Iterator[str]:
    """The models that answer for a model beside itself: its canary and its fallback."""
    if isinstance(route, dict):
        canary = route.get("canary")
        named = (canary.get("model") if isinstance(canary, dict) else None, route.get("fallback"))
        yield from (other for other in named if isinstance(other, str))


def _answers_to(model_id: str, route: JsonValue) -> Iterator[str]:
    yield model_id
    aliases = route.get("aliases") if isinstance(route, dict) else None
    yield from (alias for alias in (aliases if isinstance(aliases, list) else ()) if isinstance(alias, str))


def _as_live(wanted: DesiredApplication, there: Application) -> DesiredApplication:
    """The gateway as it runs, with its own bounds and resources, whatever the registry says about them."""
    bounds = _mapping(there.deployments[GATEWAY_DEPLOYMENT].get("autoscaling_config"))
    low, high = bounds.get("min_replicas"), bounds.get("max_replicas")
    least = low if isinstance(low, int) else wanted.min_replicas
    return replace(
        wanted,
        application=there,
        bundles=live_bundles(there),
        min_replicas=least,
        max_replicas=high if isinstance(high, int) else max(least, wanted.max_replicas),
    )


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
