"""Who holds the lease on a cluster."""

from reconciler.apply.lease_record import LeaseRecord
from reconciler.state.json_value import JsonValue
from reconciler.views.printable import printable


def lease_text(record: LeaseRecord | None) -> str:
    """Who writes to the cluster now; empty when nobody does."""
    if record is None or not record.is_held:
        return ""
    claim = record.claim
    of = f", registry `{claim.owner}`" if claim.owner else ""
    at = f" at commit {claim.commit[:12]}" if claim.commit else ""
    return printable(f"lease {record.number} held by {record.holder} {record.times}{of}{at}")


def lease_json(record: LeaseRecord | None) -> dict[str, JsonValue]:
    """Whether it is held, and by whom; texts that its holder did not give are empty."""
    if record is None or not record.is_held:
        return {"held": False}
    claim = record.claim
    return {
        "held": True,
        "number": record.number,
        "job": record.job_id,
        "who": claim.who,
        "where": claim.where,
        "since": record.since,
        "until": record.until,
        "owner": claim.owner,
        "commit": claim.commit,
        "version": claim.version,
    }
