"""The JSON Schema (2020-12) of what `reconcile status --format json` prints."""

from collections.abc import Callable, Mapping

from reconciler.plan.schema import (
    AMOUNT,
    AMOUNTS,
    COUNT,
    FLAG,
    TEXT,
    TIME,
    Schema,
    choice,
    items,
    nullable,
    position_schema,
    record,
)
from reconciler.state.live import ApplicationStatus

_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}


def status_schema() -> Schema:
    """The schema of a look at a cluster."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconciler:schema:status",
        "title": "What a cluster has and does, by reconcile",
        **record(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "cluster": TEXT,
                "time": {**TIME, "description": "When it was read."},
                "ray_version": TEXT,
                "last_apply": {
                    "description": "What the gateway remembers of it, as `reconcile history` shows it.",
                    **nullable({"type": "object"}),
                },
                "lease": {
                    "description": "Who writes to the cluster now; null where that is not known.",
                    **nullable(_lease()),
                },
                "untold": {
                    "description": "Why nobody said what the replicas have to do; null where they were asked.",
                    **_TEXT_OR_NULL,
                },
                "applications": {
                    "description": "The gateway, our models, whether they are there or not, then what is not ours.",
                    **items(_application()),
                },
                "nodes": items(
                    record({"node_id": TEXT, "node_type": _TEXT_OR_NULL, "total": AMOUNTS, "used": AMOUNTS})
                ),
                "accelerators": {
                    "description": "GPUs by type: there, in use, and what the registry's models want at the fewest and "
                    "the most replicas that autoscaling may run.",
                    **items(record({"type": TEXT, **dict.fromkeys(("total", "used", "wanted", "ceiling"), AMOUNT)})),
                },
            }
        ),
    }


def _lease() -> Schema:
    texts = dict.fromkeys(("job", "who", "where", "since", "until", "owner", "version"), TEXT)
    return record({"held": FLAG}, optional={"number": COUNT, **texts, "commit": _TEXT_OR_NULL})


def _application() -> Schema:
    return record(
        {
            "name": TEXT,
            "model_id": {"description": "null for the gateway, and for what the registry has not.", **_TEXT_OR_NULL},
            "ours": FLAG,
            "wanted": {"description": "Whether the registry calls for it.", **FLAG},
            "owner": _TEXT_OR_NULL,
            "declarative": FLAG,
            "status": {
                "description": "Ray's word; null where it is not on the cluster.",
                **nullable(choice([status.value for status in ApplicationStatus])),
            },
            "message": TEXT,
            "route_prefix": _TEXT_OR_NULL,
            "running": {"description": "Replicas that serve.", **COUNT},
            "target": {"description": "Replicas that Ray aims at.", **COUNT},
            "capacity": {
                "description": "Requests that the running replicas take at a time; null where that is not told.",
                **nullable(COUNT),
            },
            "load": {"description": "Of all replicas together; null where it is not known.", **nullable(_load())},
            "untold": {"description": "Why the load of a model is not known.", **_TEXT_OR_NULL},
            "position": position_schema(),
            "unlisted": {
                "description": "Replicas of an earlier version that live although Ray lists none.",
                **items(TEXT),
            },
            "deployments": items(_deployment()),
        }
    )


def _load() -> Schema:
    return record(
        {
            "ongoing": {"description": "Requests in flight.", **COUNT},
            "requests": {"description": "Since each replica started.", **COUNT},
            "idle_s": {"description": "Seconds since the latest request began; 0 while there is one.", **AMOUNT},
            "idle_for_longer": {"description": "Whether it may be more: nobody counted before.", **FLAG},
            "busy_replicas": COUNT,
            "idle_replicas": COUNT,
        }
    )


def _deployment() -> Schema:
    return record(
        {
            "name": TEXT,
            "status": TEXT,
            "message": TEXT,
            "target_num_replicas": COUNT,
            "max_ongoing_requests": {"description": "That one replica takes at a time.", **nullable(COUNT)},
            "request_router": {
                "description": "The class that chooses the replica for a request.",
                **_TEXT_OR_NULL,
            },
            "resources_per_replica": AMOUNTS,
            "replicas": items(_replica()),
        }
    )


def _replica() -> Schema:
    work = record(
        {
            "requests": {"description": "Since it started.", **COUNT},
            "ongoing": {"description": "In flight.", **COUNT},
            "free": {"description": "How many more it takes.", **nullable(COUNT)},
            "last_s": {"description": "Seconds since the latest began; null where there was none.", **nullable(AMOUNT)},
            "watched_s": {"description": "Seconds for which it has counted.", **AMOUNT},
        }
    )
    about = record(
        {
            "versions": {"type": "object", "additionalProperties": TEXT},
            "weights": nullable(record({"source": _TEXT_OR_NULL, "revision": _TEXT_OR_NULL})),
        },
        optional={
            "adapters": {
                "description": "LoRA adapters by id; `state` is `loading`, `loaded` or `failed`.",
                "type": "object",
                "additionalProperties": record({"state": TEXT, "revision": _TEXT_OR_NULL, "reason": TEXT}),
            }
        },
    )
    return record(
        {
            "replica_id": TEXT,
            "state": {"description": "Ray's word.", **TEXT},
            "node_id": _TEXT_OR_NULL,
            "since": {"description": "When its process started.", **nullable(TIME)},
            "work": {"description": "What it has to do; null where that is not known.", **nullable(work)},
            "about": {"description": "What it runs; null where that is not known.", **nullable(about)},
        }
    )


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"status.schema.json": status_schema}
"""What this layer publishes, by file name."""
