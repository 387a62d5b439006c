"""Why a plan does what it does to one model, for programs. The published form is `plan.explanation_schema`."""

from reconciler.plan.change import FieldChange
from reconciler.plan.encode import action_json, field_json
from reconciler.plan.explanation import Explanation, Fit, Setting
from reconciler.plan.plan import Plan
from reconciler.state.json_value import JsonValue, canonical

FORMAT_VERSION = "1.0"
"""Major and minor, by the rules of `schemas/README.md`."""

Json = dict[str, JsonValue]


def explanation_json(explanation: Explanation, plan: Plan) -> Json:
    """The explanation, ready for `json.dumps`."""
    intention, hold, code = explanation.intention, explanation.hold, explanation.code
    return {
        "format_version": FORMAT_VERSION,
        "cluster": plan.cluster,
        "ray_version": plan.ray_version,
        "application": explanation.name,
        "model_id": explanation.model_id,
        "differs": intention is not None,
        "action": canonical(action_json(intention)) if intention else None,
        "wave": explanation.wave,
        "waves": explanation.waves,
        "held": {"guard": hold.guard, "reason": hold.reason, "release": hold.release} if hold else None,
        "fields": [_field(field) for field in (intention.change.fields if intention else ())],
        "routing": [_field(field) for field in explanation.routing],
        "code_version": {"before": code.before, "after": code.after, "differs_in": list(code.differs_in)},
        "fit": explanation.fit and _fit(explanation.fit),
        "settings": [_setting(setting) for setting in explanation.settings],
    }


def _field(field: FieldChange) -> Json:
    return {**canonical(field_json(field)), "rule": field.source or None}


def _fit(fit: Fit) -> Json:
    return {
        "strategy_wanted": fit.wish.value,
        "needed_per_replica": dict(fit.needed),
        "replicas_wanted": fit.wanted,
        "replicas_fitting": fit.fitting,
        "nodes": [
            {"node_id": node.node_id, "free": dict(node.free), "total": dict(node.total), "parts": node.parts}
            for node in fit.nodes
        ],
    }


def _setting(setting: Setting) -> Json:
    return {
        "path": setting.path,
        "value": canonical(setting.value),
        "impact": setting.rule.impact.value,
        "reason": setting.rule.reason,
        "rule": setting.rule.source or None,
    }
