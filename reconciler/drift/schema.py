"""The JSON Schema (2020-12) of what `reconcile drift --format json` prints."""

from collections.abc import Callable, Mapping

from reconciler.drift.report import FindingKind, Origin, Severity, Standing
from reconciler.plan.change import Impact
from reconciler.plan.schema import COUNT, FLAG, TEXT, TIME, Schema, choice, items, nullable, position_schema, record

_AMOUNT: Schema = {"type": "number", "minimum": 0}
_COMMIT: Schema = {"type": ["string", "null"]}


def drift_schema() -> Schema:
    """The schema of a drift report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:drift",
        "title": "A drift report of reconcile",
        **record(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "cluster": TEXT,
                "has_drift": FLAG,
                "findings": items(_finding()),
                "in_sync": {"description": "Applications that are as the registry says.", **items(TEXT)},
            },
            # Since 1.1.
            optional={
                "time": {"description": "When the cluster was read.", **nullable(TIME)},
                "ray_version": TEXT,
                "registry_commit": {"description": "The commit that the registry is at.", **_COMMIT},
                "applied": {
                    "description": "What the last apply was made from; null where that is not known.",
                    **record({"commit": _COMMIT, "time": nullable(TIME)}),
                },
                "expected": {
                    "description": "What differs and may.",
                    **items(record({"application": TEXT, "path": TEXT, "message": TEXT})),
                },
                "ignored": {
                    "description": "What a rule of the cluster file says to leave alone.",
                    **items(record({"reason": TEXT, "finding": _finding()})),
                },
                "fleet": {"description": "Every application that the registry wants.", **items(_member())},
                "accelerators": {"description": "GPUs by type.", **items(_accelerator())},
                "notes": {"description": "What a reader should know of how this came about.", **items(TEXT)},
            },
        ),
    }


def _finding() -> Schema:
    return record(
        {
            "kind": choice([kind.value for kind in FindingKind]),
            "is_drift": FLAG,
            "application": {**TEXT, "description": "Empty for the cluster itself."},
            "message": TEXT,
            "remedy": TEXT,
            "fields": items(_field()),
            "position": position_schema(),
        },
        optional={
            "severity": choice([severity.value for severity in Severity]),
            "origin": {
                "description": "Which side moved since the last apply.",
                **choice([origin.value for origin in Origin]),
            },
            "since": {"description": "It has been so from then on or longer.", **nullable(TIME)},
        },
    )


def _field() -> Schema:
    value: Schema = {"description": "Left out where the field is not set; an environment variable's value is hidden."}
    applied: Schema = {"description": "What the last apply put there; left out where that is not set or not known."}
    return record(
        {"path": TEXT, "impact": choice([impact.value for impact in Impact]), "reason": TEXT},
        optional={
            "live": value,
            "desired": value,
            "applied": applied,
            "origin": choice([origin.value for origin in Origin]),
        },
    )


def _member() -> Schema:
    return record(
        {
            "application": TEXT,
            "model_id": {"type": ["string", "null"], "description": "null for the gateway."},
            "standing": choice([standing.value for standing in Standing]),
            "status": {**TEXT, "description": "Ray's word; empty where it is not on the cluster."},
            "running": COUNT,
            "target": COUNT,
            "min_replicas": COUNT,
            "max_replicas": COUNT,
            "gpus_per_replica": _AMOUNT,
            "accelerator": {"type": ["string", "null"], "description": "The type that a replica asks for."},
            "position": position_schema(),
        },
        optional={
            "versions": {
                "description": "Of each library that the replicas say they run, every version. Since 1.2.",
                "type": "object",
                "additionalProperties": items(TEXT),
            },
            "revisions": {
                "description": "The commits of the weights that the replicas have loaded. Since 1.2.",
                **items(TEXT),
            },
        },
    )


def _accelerator() -> Schema:
    return record({"type": TEXT, **dict.fromkeys(("total", "used", "wanted", "ceiling"), _AMOUNT)})


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"drift.schema.json": drift_schema}
"""What this layer publishes, by file name."""
