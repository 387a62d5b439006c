"""Outcomes for programs. The published form is `apply.schema.outcome_schema`."""

import json
from collections.abc import Sequence

from reconciler.apply.outcome import Outcome
from reconciler.state.json_value import JsonValue


def outcome_json(outcomes: Sequence[Outcome], cluster: str) -> str:
    """One JSON document in the order the actions were carried out."""
    document = {
        "format_version": "1.0",
        "cluster": cluster,
        "failed": any(outcome.result.is_failure for outcome in outcomes),
        "outcomes": [outcome_document(outcome) for outcome in outcomes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def outcome_document(outcome: Outcome) -> dict[str, JsonValue]:
    """One outcome."""
    return {
        "application": outcome.application,
        "result": outcome.result.value,
        "message": outcome.message,
        "replicas_before": list(outcome.replicas_before),
        "replicas_after": list(outcome.replicas_after),
        "seconds": round(outcome.seconds, 3),
        "cause": outcome.cause,
        "log_excerpt": list(outcome.log_excerpt),
    }
