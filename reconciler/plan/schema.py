"""The JSON Schema (2020-12) of what `reconcile plan --format json` prints and of the plan file."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.plan.change import Impact
from reconciler.plan.plan import ActionKind
from reconciler.registry.spec import PlacementStrategy, RolloutStrategy

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
AMOUNTS: Schema = {
    "description": "Logical resources by name.",
    "type": "object",
    "additionalProperties": {"type": "number", "minimum": 0},
}


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
                "options": record(dict.fromkeys(("allow_delete", "allow_downtime", "allow_protected"), FLAG)),
                "has_changes": FLAG,
                "waves": {
                    "description": "Each is one PUT, carried out when the one before it is done.",
                    **items(record({"actions": items(_action())})),
                },
                "holds": {
                    "description": "Actions that a guard refused.",
                    **items(record({"guard": TEXT, "reason": TEXT, "release": TEXT, "action": _action()})),
                },
                "unmanaged": {"description": "Applications that are not ours, never changed.", **items(TEXT)},
                "capacity": record(dict.fromkeys(("total", "used", "needed", "peak"), AMOUNTS)),
                "warnings": items(TEXT),
                "digest": {**SHA256, "description": "Of all keys above."},
            },
            optional={
                "created": {**TIME, "description": "Only in a plan file."},
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


def _source() -> Schema:
    revision = {"type": ["string", "null"]}
    return record({"commit": revision, "tree": revision, "dirty": FLAG, "digest": TEXT})


def _action() -> Schema:
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
        }
    )


def _rollout() -> Schema:
    return record(
        {
            "strategy": choice([strategy.value for strategy in RolloutStrategy]),
            "surge_percent": {"type": "integer", "minimum": 0, "maximum": 100},
            "downtime_expected": FLAG,
            "sentence": TEXT,
        }
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
