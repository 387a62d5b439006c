"""What our gateway remembers of the last apply."""

from collections.abc import Mapping

from reconciler.plan.diff import PROVENANCE_KEY
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT
from reconciler.views.printable import printable


def last_apply(live: LiveState, owner: str) -> Mapping[str, JsonValue] | None:
    """The record that apply left in the gateway of that owner; None without one."""
    gateway = live.application(GATEWAY_APPLICATION)
    application = gateway.application if gateway else None
    if application is None or application.owner != owner:
        return None
    user_config = application.deployments.get(GATEWAY_DEPLOYMENT, {}).get("user_config") or {}
    record = user_config.get(PROVENANCE_KEY)
    return record if isinstance(record, Mapping) else None


def last_apply_text(record: Mapping[str, JsonValue]) -> str:
    """When, by whom and from which commit."""
    commit = f"commit {str(record['commit'])[:12]}" if record.get("commit") else "a registry outside git"
    dirty = " with uncommitted changes" if record.get("commit") and record.get("dirty") else ""
    return printable(f"last applied {record.get('time')} by {record.get('who')} from {commit}{dirty}")
