"""The JSON Schema (2020-12) of what `reconcile plan explain --format json` prints."""

from collections.abc import Callable, Mapping

from reconciler.plan.change import Impact
from reconciler.plan.schema import (
    AMOUNTS,
    COUNT,
    FLAG,
    SHA256,
    TEXT,
    Schema,
    action_schema,
    choice,
    field_schema,
    items,
    nullable,
    record,
)
from reconciler.registry.choices import RolloutStrategy

_RULE: Schema = {
    "type": ["string", "null"],
    "description": "Where Ray 2.60.0 says so, as `file:line name`; null where it is reconcile's own rule.",
}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 1}


def explanation_schema() -> Schema:
    """The schema of an explanation."""
    field = field_schema("before", "after")
    field = {**field, "required": [*field["required"], "rule"], "properties": {**field["properties"], "rule": _RULE}}
    hash_or_none = nullable(SHA256)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:explanation",
        "title": "Why a plan of reconcile does what it does to one model",
        **record(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "cluster": TEXT,
                "ray_version": TEXT,
                "application": TEXT,
                "model_id": {"type": ["string", "null"]},
                "differs": FLAG,
                "action": nullable(action_schema()),
                "wave": {**_MAYBE_COUNT, "description": "Counted from 1; null when nothing is done."},
                "waves": COUNT,
                "held": nullable(record({"guard": TEXT, "reason": TEXT, "release": TEXT})),
                "fields": items(field),
                "routing": {"description": "What changes in the gateway for this model.", **items(field)},
                "code_version": record({"before": hash_or_none, "after": hash_or_none, "differs_in": items(TEXT)}),
                "fit": nullable(_fit()),
                "settings": {"description": "What a change of each would do.", **items(_setting())},
            }
        ),
    }


def _fit() -> Schema:
    node = record({"node_id": TEXT, "free": AMOUNTS, "total": AMOUNTS, "parts": COUNT})
    return record(
        {
            "strategy_wanted": choice([strategy.value for strategy in RolloutStrategy]),
            "needed_per_replica": AMOUNTS,
            "replicas_wanted": COUNT,
            "replicas_fitting": {**COUNT, "description": "Beside everything that runs now."},
            "nodes": items(node),
        }
    )


def _setting() -> Schema:
    impact = choice([impact.value for impact in Impact])
    return record({"path": TEXT, "value": {}, "impact": impact, "reason": TEXT, "rule": _RULE})


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"explanation.schema.json": explanation_schema}
"""What is published of it, by file name."""
