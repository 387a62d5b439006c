"""What was applied to a cluster, for programs."""

import json

from reconciler.state.json_value import JsonValue
from reconciler.state.provenance import Names, Record
from reconciler.views.applied import Applied


def history_json(applied: Applied) -> str:
    """One JSON document, the newest apply first."""
    document = {
        "format_version": "1.0",
        "cluster": applied.cluster,
        "owner": applied.owner,
        "applies": [_record(number, record, applied) for number, record in enumerate(applied.records)],
        "merged_since": applied.since
        if applied.since is None
        else [{"commit": each.commit, "subject": each.subject} for each in applied.since],
        "more_merged_since": applied.more_since,
        "note": applied.trouble,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _record(number: int, record: Record, applied: Applied) -> dict[str, JsonValue]:
    return {
        "time": record.time,
        "who": record.who,
        "version": record.version,
        "commit": record.commit,
        "subject": applied.subjects.get(record.commit or ""),
        "tree": record.tree,
        "dirty": record.dirty,
        "rollback": record.is_rollback,
        "rolled_back_from": record.rolled_back_from,
        "models": _names(record.models),
        "ended": record.counts is not None,
        "ended_well": record.ended_well,
        "counts": record.counts and dict(record.counts),
        "failed": _names(record.failed),
        "runs_now": number == applied.now,
    }


def _names(names: Names) -> dict[str, JsonValue]:
    return {"names": list(names.names), "more": names.more}
