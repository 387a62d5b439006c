"""A Plan as JSON, for programs and for the plan file. The published form is `plan.schema`.

No value of an environment variable and nothing of the applications of others is in it: the documents of the waves stay
out, their actions say it all.
"""

from reconciler.diagnostics import Position
from reconciler.plan.change import FieldChange
from reconciler.plan.diff import hide
from reconciler.plan.encode_cost import cost_json, daily_cost_json
from reconciler.plan.plan import Action, Hold, Plan, Rollout, Source
from reconciler.state.capacity import Bundles
from reconciler.state.json_value import JsonValue, canonical, digest

FORMAT_VERSION = "1.1"
"""Major and minor: a reader of 1.x reads every 1.y, leaving out keys it does not know."""


def plan_json(plan: Plan) -> dict[str, JsonValue]:
    """The plan, ready for `json.dumps`; equal plans are equal, and their `digest` is the SHA-256 of all the rest."""
    document: dict[str, JsonValue] = {
        "format_version": FORMAT_VERSION,
        "cluster": plan.cluster,
        "address": plan.address,
        "ray_version": plan.ray_version,
        "source": _source(plan.source),
        "live_fingerprint": plan.live_fingerprint,
        "options": {
            "allow_delete": plan.options.allow_delete,
            "allow_downtime": plan.options.allow_downtime,
            "allow_mass_change": plan.options.allow_mass_change,
            "allow_protected": plan.options.allow_protected,
            "models": list(plan.options.models),
        },
        "has_changes": plan.has_changes,
        "waves": [{"actions": [action_json(action) for action in wave.actions]} for wave in plan.waves],
        "holds": [_hold(hold) for hold in plan.holds],
        "left_out": list(plan.left_out),
        **({"rollback_to": plan.rollback_to} if plan.rollback_to else {}),
        "as_of": plan.as_of,
        "unmanaged": list(plan.unmanaged),
        "capacity": {
            "total": dict(plan.capacity.total),
            "used": dict(plan.capacity.used),
            "needed": dict(plan.capacity.needed),
            "peak": dict(plan.capacity.peak),
            "limit": plan.capacity.limit and dict(plan.capacity.limit),
            "ceiling": plan.capacity.ceiling and dict(plan.capacity.ceiling),
            "added_nodes": dict(plan.capacity.added),
        },
        "warnings": list(plan.warnings),
        "daily_cost": plan.daily_cost and daily_cost_json(plan.daily_cost),
    }
    # Only below the top level are the keys sorted: up there they stand in the order of reading.
    return {**{key: canonical(value) for key, value in document.items()}, "digest": digest(document)}


def field_json(field: FieldChange, before: str = "before", after: str = "after") -> dict[str, JsonValue]:
    """One field; a side on which it is not set is left out."""
    sides = ((before, field.before, field.before_set), (after, field.after, field.after_set))
    return {
        "path": field.path,
        **{name: hide(value) for name, value, is_set in sides if is_set},
        "impact": field.impact.value,
        "reason": field.reason,
    }


def position_json(position: Position | None) -> JsonValue:
    """A place in a registry file."""
    return position and {"file": position.file, "line": position.line, "column": position.column}


def _source(source: Source) -> dict[str, JsonValue]:
    return {"commit": source.commit, "tree": source.tree, "dirty": source.dirty, "digest": source.digest}


def action_json(action: Action) -> dict[str, JsonValue]:
    """One action."""
    return {
        "kind": action.kind.value,
        "application": action.name,
        "model_id": action.model_id,
        "impact": action.impact.value,
        "reason": action.reason,
        "fields": [field_json(field) for field in action.change.fields],
        "rollout": action.rollout and _rollout(action.rollout),
        "resources_per_replica": action.bundles and _bundles(action.bundles),
        "replicas_before": action.replicas_before,
        "replicas_after": action.replicas_after,
        "timeout_s": action.timeout_s,
        "timeout_basis": action.timeout_basis.value,
        "cost": action.cost and cost_json(action.cost),
        "position": position_json(action.position),
        "awaits_nodes": dict(action.awaits),
    }


def _hold(hold: Hold) -> dict[str, JsonValue]:
    return {"guard": hold.guard, "reason": hold.reason, "release": hold.release, "action": action_json(hold.action)}


def _rollout(rollout: Rollout) -> dict[str, JsonValue]:
    return {
        "strategy": rollout.strategy.value,
        "surge_percent": rollout.surge_percent,
        "downtime_expected": rollout.downtime_expected,
        "sentence": rollout.sentence,
        "batch": rollout.batch,
        "batch_share": rollout.batch_share,
        "serving": rollout.serving,
    }


def _bundles(bundles: Bundles) -> dict[str, JsonValue]:
    return {
        "total": dict(bundles.total),
        "bundles": [dict(bundle) for bundle in bundles.bundles],
        "strategy": bundles.strategy.value,
    }
