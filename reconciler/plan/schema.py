"""The JSON Schema (2020-12) of what `reconcile plan --format json` prints and of the plan file."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.plan.change import Impact
from reconciler.plan.cost import Basis, LimitBasis
from reconciler.plan.plan import ActionKind
from reconciler.registry.choices import PlacementStrategy, RolloutStrategy

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
AMOUNT: Schema = {"type": "number", "minimum": 0}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
AMOUNTS: Schema = {
    "description": "Logical resources by name.",
    "type": "object",
    "additionalProperties": {"type": "number", "minimum": 0},
}
NODES: Schema = {"type": "object", "additionalProperties": COUNT}


def plan_schema() -> Schema:
    """The schema of a plan document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:plan",
        "title": "A plan of reconcile",
        **record(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "cluster": TEXT,
                "address": {**TEXT, "description": "The Ray dashboard."},
                "ray_version": TEXT,
                "source": _source(),
                "live_fingerprint": {**SHA256, "description": "Of every submitted config and the Serve options."},
                "options": _options(),
                "has_changes": FLAG,
                "waves": {
                    "description": "Each is one PUT, carried out when the one before it is done.",
                    **items(record({"actions": items(action_schema())})),
                },
                "holds": {
                    "description": "Actions that a guard refused.",
                    **items(record({"guard": TEXT, "reason": TEXT, "release": TEXT, "action": action_schema()})),
                },
                "unmanaged": {"description": "Applications that are not ours, never changed.", **items(TEXT)},
                "capacity": record(
                    dict.fromkeys(("total", "used", "needed", "peak"), AMOUNTS),
                    optional={
                        "limit": {
                            "description": "With every node that the autoscaler may add; null where the cluster file "
                            "tells of none. Since 1.1.",
                            **nullable(AMOUNTS),
                        },
                        "ceiling": {
                            "description": "What is needed when autoscaling has taken every model to its maximum. "
                            "Since 1.1.",
                            **nullable(AMOUNTS),
                        },
                        "added_nodes": {
                            "description": "Nodes that the autoscaler adds for this plan, by type. Since 1.1.",
                            **NODES,
                        },
                    },
                ),
                "warnings": items(TEXT),
                "digest": {**SHA256, "description": "Of all keys above."},
            },
            optional={
                "left_out": {
                    "description": "Applications that differ too and that `options.models` leaves out. Since 1.1.",
                    **items(TEXT),
                },
                "as_of": {
                    "description": "When the cluster was read, of a plan that rests on a snapshot. Since 1.1.",
                    **nullable(TIME),
                },
                "rollback_to": {
                    "description": "The commit that a rollback goes to; only in the plan of one. Since 1.1.",
                    **TEXT,
                },
                "created": {**TIME, "description": "Only in a plan file."},
                "daily_cost": nullable(_daily_cost()),
                "expires": {**TIME, "description": "Only in a plan file."},
                "seal": {**SHA256, "description": "Only in a plan file, of all other keys."},
            },
        ),
    }


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of an object with these keys; a later minor version may add others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def items(schema: Schema) -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": schema}


def choice(values: list[str]) -> Schema:
    """The schema of one of some texts."""
    return {"enum": values}


def nullable(schema: Schema) -> Schema:
    """The schema of a value that may be null."""
    return {"anyOf": [{"type": "null"}, schema]}


def field_schema(before: str, after: str) -> Schema:
    """The schema of one field that differs."""
    value: Schema = {"description": "Left out where the field is not set; an environment variable's value is hidden."}
    return record(
        {"path": TEXT, "impact": choice([impact.value for impact in Impact]), "reason": TEXT},
        optional={before: value, after: value},
    )


def position_schema() -> Schema:
    """The schema of a place in a registry file."""
    one = {"type": "integer", "minimum": 1}
    return nullable(record({"file": TEXT, "line": one, "column": one}))


def _options() -> Schema:
    models: Schema = {
        "description": "Names and patterns of the only models that the plan is about; empty for all. Since 1.1.",
        **items(TEXT),
    }
    flags = dict.fromkeys(("allow_delete", "allow_downtime", "allow_protected"), FLAG)
    mass_change: Schema = {"description": "Since 1.1.", **FLAG}
    return record(flags, optional={"allow_mass_change": mass_change, "models": models})


def _source() -> Schema:
    revision = {"type": ["string", "null"]}
    return record({"commit": revision, "tree": revision, "dirty": FLAG, "digest": TEXT})


def action_schema() -> Schema:
    """The schema of one action."""
    return record(
        {
            "kind": choice([kind.value for kind in ActionKind]),
            "application": TEXT,
            "model_id": {"type": ["string", "null"], "description": "null for the gateway."},
            "impact": choice([impact.value for impact in Impact]),
            "reason": TEXT,
            "fields": items(field_schema("before", "after")),
            "rollout": nullable(_rollout()),
            "resources_per_replica": nullable(_bundles()),
            "replicas_before": COUNT,
            "replicas_after": COUNT,
            "timeout_s": {"type": "number", "exclusiveMinimum": 0},
            "position": position_schema(),
        },
        optional={
            "timeout_basis": {"description": "Since 1.1.", **choice([basis.value for basis in LimitBasis])},
            "cost": nullable(_cost()),
            "awaits_nodes": {
                "description": "Nodes that the autoscaler has to add before it fits, by type. Since 1.1.",
                **NODES,
            },
        },
    )


def _cost() -> Schema:
    span = nullable(record({"least": AMOUNT, "most": AMOUNT}))
    return {
        "description": "Predicted seconds, beside those until `awaits_nodes` are there; null where the load time is "
        "not known. Since 1.1.",
        **record(
            {
                "load_time_s": nullable({**AMOUNT, "description": "From the start of a replica until it serves."}),
                "load_time_basis": choice([basis.value for basis in Basis]),
                "duration_s": {"description": "Until the last replica of the new version serves.", **span},
                "without_service_s": {"description": "In which no replica serves.", **span},
                "less_capacity_s": {"description": "In which fewer replicas serve than before and after.", **span},
                "serving": {**COUNT, "description": "The fewest replicas that serve at any moment."},
            }
        ),
    }


def _daily_cost() -> Schema:
    hours: Schema = {"type": "object", "additionalProperties": AMOUNT, "description": "By accelerator type."}
    money = nullable({**AMOUNT, "description": "Of the types that have a price in the cluster file."})
    daily = record({"gpu_hours_floor": hours, "gpu_hours_ceiling": hours, "money_floor": money, "money_ceiling": money})
    return {
        "description": "What the GPUs that the replicas of all models ask for take a day, at the fewest and the most "
        "replicas that autoscaling may run. Nodes that idle are not counted. Since 1.1.",
        **record({"before": daily, "after": daily, "currency": nullable(TEXT), "unpriced": items(TEXT)}),
    }


def _rollout() -> Schema:
    return record(
        {
            "strategy": choice([strategy.value for strategy in RolloutStrategy]),
            "surge_percent": {"type": "integer", "minimum": 0, "maximum": 100},
            "downtime_expected": FLAG,
            "sentence": TEXT,
        },
        optional={
            "batch": {
                **COUNT,
                "description": "Replicas replaced at a time: with surge those that start beside the old ones, "
                "else those that stop. Since 1.1.",
            },
            "batch_share": {
                "description": "Ray's rolling_update_percentage for this rollout; null leaves Ray's own. Since 1.1.",
                **nullable({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
            },
            "serving": {**COUNT, "description": "The fewest replicas that serve meanwhile. Since 1.1."},
        },
    )


def _bundles() -> Schema:
    return record(
        {
            "total": AMOUNTS,
            "bundles": items(AMOUNTS),
            "strategy": choice([strategy.value for strategy in PlacementStrategy]),
        }
    )


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"plan.schema.json": plan_schema}
"""What this layer publishes, by file name."""
