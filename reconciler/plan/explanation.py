"""Why a plan does to one application what it does: each field with Ray's rule, the code version, and what fits where.

Nothing here decides anything: it is the material that `plan.build` decided from, laid open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.plan.change import FieldChange
from reconciler.plan.code_version import code_inputs, code_version, is_code_input
from reconciler.plan.diff import hide, path_text
from reconciler.plan.footing import footing
from reconciler.plan.holders import room_now
from reconciler.plan.impact import ROLLOUT_OPTIONS, field_rule, is_proven
from reconciler.plan.match import match
from reconciler.plan.plan import Action, Hold, Plan
from reconciler.plan.routes import routes_of
from reconciler.plan.rules import REPLICA, Rule
from reconciler.registry.choices import RolloutStrategy
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """The hash by which Ray decides whether to rebuild an application, on both sides; None where there is none."""

    before: str | None
    after: str | None
    differs_in: tuple[str, ...]
    """The inputs of the hash that are not the same."""


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """A node: what is free of the resources that a replica needs, what it has of them, and how many replicas (or parts
    of one) it would take."""

    node_id: str
    free: Mapping[str, float]
    total: Mapping[str, float]
    parts: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What new replicas need, and what of it there is room for beside everything that runs now."""

    wish: RolloutStrategy
    """What the model's file allows a restart to cost."""
    needed: Mapping[str, float]
    """By one replica."""
    wanted: int
    """New replicas beside the old ones when nothing is to stop before its successor serves."""
    fitting: int
    """How many of them there is room for."""
    nodes: tuple[NodeRoom, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the application's config, and what a change of it would do."""

    path: str
    value: JsonValue
    rule: Rule


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is to be said of one application."""

    name: str
    model_id: str | None
    action: Action | None
    """What the plan does; None when nothing differs, or when the plan holds it."""
    hold: Hold | None
    wave: int | None
    """In which step it is done, counted from 1."""
    waves: int
    routing: tuple[FieldChange, ...]
    """What changes for this model in the gateway's routing table."""
    code: CodeVersion
    fit: Fit | None
    """None when no replica is started."""
    settings: tuple[Setting, ...]
    """Of the registry's config, or of the live one when the registry has none."""

    @property
    def intention(self) -> Action | None:
        """What is done or held; None when nothing differs."""
        return self.action or (self.hold.action if self.hold else None)


def explain(name: str, plan: Plan, desired: DesiredState, live: LiveState) -> Explanation:
    """Explain what the plan, made from these two states, does to the application of that name."""
    wave, action = next(
        ((number, one) for number, found in enumerate(plan.waves, 1) for one in found.actions if one.name == name),
        (None, None),
    )
    hold = next((one for one in plan.holds if one.action.name == name), None)
    wanted, there = desired.application(name), live.application(name)
    after = wanted.application if wanted else None
    before = there.application if there else None
    intention = action or (hold.action if hold else None)
    model_id = wanted.model.spec.model_id if wanted and wanted.model else intention.model_id if intention else None
    return Explanation(
        name=name,
        model_id=model_id,
        action=action,
        hold=hold,
        wave=wave,
        waves=len(plan.waves),
        routing=tuple(_routing(plan, model_id)) if name != GATEWAY_APPLICATION else (),
        code=_code(before, after),
        fit=_fit(name, desired, live),
        settings=tuple(_settings(after or before, model_id, desired, is_proven(live.ray_version))),
    )


def _routing(plan: Plan, model_id: str | None) -> Iterator[FieldChange]:
    """The gateway's fields that are about the model, done or held."""
    if model_id is None:
        return
    entry = path_text(("deployments", "Gateway", "user_config", "models", model_id))
    for action in (*plan.actions, *(hold.action for hold in plan.holds)):
        for field in action.change.fields if action.name == GATEWAY_APPLICATION else ():
            if field.path == entry or field.path.startswith((f"{entry}.", f"{entry}[")):
                yield field


def _code(before: Application | None, after: Application | None) -> CodeVersion:
    if before is None or after is None:
        only = [None if side is None else code_version(side.config) for side in (before, after)]
        return CodeVersion(only[0], only[1], ())
    old, new = code_version(before.config), code_version(after.config)
    inputs, others = code_inputs(before.config), code_inputs(after.config)
    return CodeVersion(old, new, tuple(key for key in inputs if old != new and inputs[key] != others[key]))


def _fit(name: str, desired: DesiredState, live: LiveState) -> Fit | None:
    candidate = next((one for one in match(desired, live).candidates if one.name == name), None)
    if candidate is None or candidate.desired is None:
        return None
    resources = candidate.desired.bundles.total
    room, index = room_now(live, tuple(resources))
    one = footing(candidate, index)
    if not one.wanted_beside:
        return None
    free, trial = room.free, room.copy()
    placements = [found for _ in range(one.wanted_beside) if (found := trial.take(one.new)) is not None]
    parts = [sum(placed.nodes.count(number) for placed in placements) for number in range(len(free))]
    nodes = tuple(
        NodeRoom(node_id, _of(resources, free[number]), _of(resources, room.total[number]), parts[number])
        for node_id, number in index.items()
    )
    return Fit(candidate.desired.rollout.strategy, resources, one.wanted_beside, len(placements), nodes)


def _of(resources: Mapping[str, float], amounts: Mapping[str, float]) -> dict[str, float]:
    return {resource: round(amounts.get(resource, 0.0), 4) for resource in resources}


def _settings(
    application: Application | None, model_id: str | None, desired: DesiredState, proven: bool
) -> Iterator[Setting]:
    if application is None:
        return
    for keys, value in sorted(_leaves(application), key=lambda leaf: leaf[0]):
        rule = field_rule(keys, value, None, code_changed=is_code_input(keys), proven=proven)
        yield Setting(path_text(keys), _hidden(keys, value), rule)
    gateway = desired.application(GATEWAY_APPLICATION)
    route = routes_of(gateway.application if gateway else None).get(model_id or "", {})
    for key in sorted(route.keys() - {"application", "deployment", "kind", "package"}):
        path = path_text((GATEWAY_APPLICATION, "user_config", "models", model_id or "", key))
        yield Setting(path, hide(route[key]), REPLICA)


def _leaves(application: Application) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    for key, value in application.config.items():
        if key == "deployments":
            for name, override in application.deployments.items():
                options = {
                    option: item for option, item in override.items() if option not in {"name", *ROLLOUT_OPTIONS}
                }
                yield from _walk(("deployments", name), options)
        elif key != "name":
            yield from _walk((key,), value)


def _walk(keys: tuple[str, ...], value: JsonValue) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _walk((*keys, key), item)
    elif value not in (None, {}, []):
        yield keys, value


def _hidden(keys: tuple[str, ...], value: JsonValue) -> JsonValue:
    for key in reversed(keys):
        value = {key: value}
    value = hide(value)
    for key in keys:
        value = value[key]
    return value
