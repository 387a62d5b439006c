"""The Plan inside a plan file, as far as it is there: enough to show it, never enough to carry it out."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from reconciler.diagnostics import Position
from reconciler.plan.change import Change, FieldChange, Impact
from reconciler.plan.cost import LimitBasis
from reconciler.plan.file import options_of
from reconciler.plan.plan import Action, ActionKind, Hold, Plan, Rollout, Source, Wave
from reconciler.registry.choices import PlacementStrategy, RolloutStrategy
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles, Capacity
from reconciler.views.saved_cost import read_cost, read_daily_cost

Json = Mapping[str, Any]
Value = TypeVar("Value", Source, Capacity, Position)


def saved_plan(document: Json) -> Plan:
    """The plan that `plan.encode.plan_json` wrote, with waves that hold no document."""
    return Plan(
        cluster=document["cluster"],
        address=document["address"],
        ray_version=document["ray_version"],
        source=_of(Source, document["source"]),
        live_fingerprint=document["live_fingerprint"],
        waves=tuple(Wave(tuple(_action(action) for action in wave["actions"]), {}) for wave in document["waves"]),
        holds=tuple(
            Hold(_action(hold["action"]), hold["guard"], hold["reason"], hold["release"]) for hold in document["holds"]
        ),
        unmanaged=tuple(document["unmanaged"]),
        capacity=_of(Capacity, document["capacity"]),
        warnings=tuple(document["warnings"]),
        options=options_of(document["options"]),
        left_out=tuple(document.get("left_out", ())),
        as_of=document.get("as_of"),
        rollback_to=document.get("rollback_to"),
        daily_cost=read_daily_cost(document["daily_cost"]) if document.get("daily_cost") else None,
    )


def _of(kind: type[Value], mapping: Json) -> Value:
    """A flat value from its keys; those of a later minor version of the format are left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in mapping.items() if key in known})


def _action(action: Json) -> Action:
    kind = ActionKind(action["kind"])
    application = Application({"name": action["application"]})
    change = Change(
        name=action["application"],
        before=None if kind is ActionKind.CREATE else application,
        after=None if kind is ActionKind.DELETE else application,
        fields=tuple(_field(field) for field in action["fields"]),
        impact=Impact(action["impact"]),
    )
    return Action(
        kind=kind,
        name=action["application"],
        model_id=action["model_id"],
        change=change,
        reason=action["reason"],
        rollout=action["rollout"] and _rollout(action["rollout"]),
        bundles=action["resources_per_replica"] and _bundles(action["resources_per_replica"]),
        replicas_before=action["replicas_before"],
        replicas_after=action["replicas_after"],
        timeout_s=action["timeout_s"],
        position=action["position"] and _of(Position, action["position"]),
        cost=read_cost(action["cost"]) if action.get("cost") else None,
        timeout_basis=LimitBasis(action.get("timeout_basis", LimitBasis.DEFAULT)),
    )


def _field(field: Json) -> FieldChange:
    return FieldChange(
        path=field["path"],
        before=field.get("before"),
        after=field.get("after"),
        before_set="before" in field,
        after_set="after" in field,
        impact=Impact(field["impact"]),
        reason=field["reason"],
    )


def _rollout(rollout: Json) -> Rollout:
    return Rollout(
        strategy=RolloutStrategy(rollout["strategy"]),
        surge_percent=rollout["surge_percent"],
        downtime_expected=rollout["downtime_expected"],
        sentence=rollout["sentence"],
        batch=rollout.get("batch", 0),
        batch_share=rollout.get("batch_share"),
        serving=rollout.get("serving", 0),
    )


def _bundles(bundles: Json) -> Bundles:
    return Bundles(tuple(bundles["bundles"]), PlacementStrategy(bundles["strategy"]))
