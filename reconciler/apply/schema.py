"""The JSON Schemas (2020-12) of what `reconcile apply` says for programs: its outcomes, and its event stream."""

from collections.abc import Callable, Mapping

from reconciler.apply.events import Phase
from reconciler.apply.outcome import Result
from reconciler.plan.schema import COUNT, FLAG, SHA256, TEXT, TIME, Schema, choice, items, record

SECONDS: Schema = {"type": "number", "minimum": 0}
VERSION: Schema = {"type": "string", "pattern": r"^1\.[0-9]+$"}


def outcome_schema() -> Schema:
    """The schema of what `apply --format json` prints."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:outcome",
        "title": "What became of an apply of reconcile",
        **record(
            {
                "format_version": VERSION,
                "cluster": TEXT,
                "failed": {**FLAG, "description": "Whether any outcome is a failure; what was held is not in here."},
                "outcomes": {"description": "In the order of the plan.", **items(outcome())},
            }
        ),
    }


def outcome() -> Schema:
    """The schema of one outcome."""
    return record(
        {
            "application": TEXT,
            "result": choice([result.value for result in Result]),
            "message": TEXT,
            "replicas_before": {"description": "Ids of the replicas that served.", **items(TEXT)},
            "replicas_after": items(TEXT),
            "seconds": SECONDS,
            "cause": {"type": ["string", "null"], "description": "The likely reason of a failure, and what to do."},
            "log_excerpt": {"description": "The log lines that prove the cause, without secrets.", **items(TEXT)},
        }
    )


def event_schema() -> Schema:
    """The schema of one line that `apply --events` writes."""
    envelope = record(
        {
            "format_version": VERSION,
            "event": {**TEXT, "description": "What happened; a reader skips a kind that it does not know."},
            "time": {**TIME, "description": "UTC, with milliseconds."},
            "run": {**TEXT, "description": "The same in every line of one apply, and in no other's."},
            "sequence": {"type": "integer", "minimum": 1, "description": "Counts the lines of one run without a gap."},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:event",
        "title": "One line of the event stream of reconcile apply",
        **envelope,
        "allOf": [
            {"if": {"properties": {"event": {"const": name}}, "required": ["event"]}, "then": body}
            for name, body in event_bodies().items()
        ],
    }


def event_bodies() -> Mapping[str, Schema]:
    """What each kind of event holds beside the envelope."""
    name, names = {"application": TEXT}, {"applications": items(TEXT)}
    one = {"type": "integer", "minimum": 1}
    return {
        "started": record({"reconcile": TEXT, **_plan()}),
        "planned-again": record(_plan()),
        "wave-started": record({"number": one, "count": one, **names}),
        "document-sent": record({"applications": COUNT, "reason": TEXT}),
        "progress": record(
            {
                **name,
                "phase": choice([phase.value for phase in Phase]),
                "message": TEXT,
                "running": {**COUNT, "description": "Replicas that serve the new version."},
                "target": {**COUNT, "description": "Replicas there should be at least."},
                "seconds": {**SECONDS, "description": "Since the document was sent."},
            }
        ),
        "smoke-answered": record({**name, "asked": TEXT, "answer": TEXT, "seconds": SECONDS}),
        "rollback-started": record({**name, "cause": TEXT}),
        "lease-awaited": record(
            {
                "holder": {**TEXT, "description": "Who writes to the cluster now, and from where."},
                "since": {"type": ["string", "null"]},
                "until": {"type": ["string", "null"], "description": "Unless it is renewed."},
                "seconds": {**SECONDS, "description": "Waited so far."},
            }
        ),
        "lease-taken": record({"number": one, "seconds": {**SECONDS, "description": "Waited for it."}}),
        "lease-released": record(
            {"certain": {**FLAG, "description": "Else it ends by itself, at most three minutes later."}}
        ),
        "finished": record({"outcome": outcome()}),
        "ended": record(
            {
                "result": {
                    "description": "done; failed: something failed or was held; interrupted: by a signal; stopped: "
                    "apply could not go on, `error` says why.",
                    **choice(["done", "failed", "interrupted", "stopped"]),
                },
                "seconds": SECONDS,
                "error": {"type": ["string", "null"]},
                "outcomes": items(outcome()),
            }
        ),
    }


def _plan() -> Mapping[str, Schema]:
    source = record({"commit": {"type": ["string", "null"]}, "dirty": FLAG})
    return {
        "plan": record(
            {
                "digest": {**SHA256, "description": "That of the plan document."},
                "live_fingerprint": SHA256,
                "cluster": TEXT,
                "address": TEXT,
                "ray_version": TEXT,
                "source": source,
                "models": {"description": "What `--model` named; empty for all.", **items(TEXT)},
                "waves": items(items(TEXT)),
                "held": items(TEXT),
                "waited_for": {
                    "description": "As the registry says, but not running: waited for as well.",
                    **items(TEXT),
                },
            }
        )
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "event.schema.json": event_schema,
    "outcome.schema.json": outcome_schema,
}
"""What this layer publishes, by file name."""
