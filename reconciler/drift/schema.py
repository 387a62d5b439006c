"""The JSON Schema (2020-12) of what `reconcile drift --format json` prints."""

from collections.abc import Callable, Mapping

from reconciler.drift.report import FindingKind
from reconciler.plan.schema import FLAG, TEXT, Schema, choice, field_schema, items, position_schema, record


def drift_schema() -> Schema:
    """The schema of a drift report."""
    finding = record(
        {
            "kind": choice([kind.value for kind in FindingKind]),
            "is_drift": FLAG,
            "application": TEXT,
            "message": TEXT,
            "remedy": TEXT,
            "fields": items(field_schema("live", "desired")),
            "position": position_schema(),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:drift",
        "title": "A drift report of reconcile",
        **record(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "cluster": TEXT,
                "has_drift": FLAG,
                "findings": items(finding),
                "in_sync": {"description": "Applications that are as the registry says.", **items(TEXT)},
            }
        ),
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"drift.schema.json": drift_schema}
"""What this layer publishes, by file name."""
