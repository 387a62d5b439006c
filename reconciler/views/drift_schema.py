"""The JSON Schema (2020-12) of what `drift_json` writes."""

from typing import Any

from reconciler.drift.report import FindingKind
from reconciler.plan.change import Impact
from reconciler.views.drift_json import FORMAT_VERSION

_TEXT = {"type": "string"}
_NAMES = {"type": "array", "items": _TEXT}


def drift_schema() -> dict[str, Any]:
    """The schema of a drift report."""
    field = _object(
        {
            "path": {**_TEXT, "description": "Dotted, with deployments addressed by name."},
            "live": {"description": "The value on the cluster; absent where it is not set there."},
            "desired": {"description": "The value of the registry; absent where it is not set there."},
            "impact": {
                "enum": [impact.value for impact in Impact],
                "description": "Of putting it back.",
            },
            "reason": _TEXT,
        },
        optional=("live", "desired"),
    )
    position = _object({"file": _TEXT, "line": {"type": "integer", "minimum": 1}, "column": {"type": "integer"}})
    finding = _object(
        {
            "kind": {"enum": [kind.value for kind in FindingKind]},
            "is_drift": {"type": "boolean"},
            "application": _TEXT,
            "message": _TEXT,
            "remedy": _TEXT,
            "fields": {"type": "array", "items": field},
            "position": {"oneOf": [position, {"type": "null"}]},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:drift",
        "title": "A drift report",
        **_object(
            {
                "format_version": {"const": FORMAT_VERSION},
                "cluster": _TEXT,
                "has_drift": {"type": "boolean"},
                "findings": {"type": "array", "items": finding},
                "in_sync": _NAMES,
            }
        ),
    }


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
