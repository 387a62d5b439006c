"""What our gateway remembers of the last apply."""

from reconciler.state.live import LiveState
from reconciler.state.provenance import Record, history
from reconciler.views.printable import printable


def last_apply(live: LiveState, owner: str) -> Record | None:
    """The newest record in the gateway of that owner; None without one."""
    return next(iter(history(live, owner)), None)


def last_apply_text(record: Record) -> str:
    """When, by whom and from which commit."""
    commit = f"commit {record.commit[:12]}" if record.commit else "a registry outside git"
    dirty = " with uncommitted changes" if record.commit and record.dirty else ""
    rollback = ", going back to it" if record.is_rollback else ""
    return printable(f"last applied {record.time} by {record.who or 'somebody'} from {commit}{dirty}{rollback}")
