"""What is said about an action that came to its end."""

from reconciler.apply.watch import Watch
from reconciler.plan.plan import ActionKind
from reconciler.state.live import LiveState


def success(watched: Watch, live: LiveState) -> str:
    """What happened to the replicas, by their ids and not by the plan's prediction."""
    entry = live.application(watched.name)
    if watched.kind is ActionKind.DELETE:
        return "deleted"
    if watched.kind is ActionKind.CREATE:
        return "serves"
    if watched.kind is None:
        return "serves now"
    kept = set(watched.before) & set(entry.replica_ids if entry else ())
    if kept:
        return "changed in place"
    return "the new version serves" if watched.before else "serves"
