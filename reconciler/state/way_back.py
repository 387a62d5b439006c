"""Which of the applies that the gateway remembers a rollback means, and what is to be said after one."""

from collections.abc import Sequence

from reconciler.state.live import LiveState
from reconciler.state.provenance import Record, history


def last_good(records: Sequence[Record]) -> Record | None:
    """The last apply before the present one that ended well, of another commit; None where none is remembered.

    `records` are those of `state.provenance.history`, the present one first. Passed over are commits that a later
    rollback went back from, applies of some models alone, and those of files that no commit holds. After an apply of
    such files the commit that they were edited on is another one.
    """
    passed: set[str | None] = {None}
    for number, record in enumerate(records):
        if number and record.ended_well and not record.models and not record.dirty and record.commit not in passed:
            return record
        if number == 0 and not record.dirty:
            passed.add(record.commit)
        if record.is_rollback:
            passed.add(record.rolled_back_from)
    return None


def last_whole(records: Sequence[Record]) -> str | None:
    """The commit of the last apply of the whole registry: one of some models alone leaves the rest where it was."""
    return next((record.commit for record in records if not record.models), None)


def standing_rollback(live: LiveState, owner: str) -> Record | None:
    """The rollback that no apply of the whole registry has followed yet."""
    for record in history(live, owner):
        if record.is_rollback:
            return record
        if not record.models:
            return None
    return None


def rollback_words(record: Record) -> str:
    """What was rolled back, to where, when and by whom."""
    what = f"`{'`, `'.join(record.models.names)}`" if record.models else "the cluster"
    more = f" and {record.models.more} more" if record.models.more else ""
    verb = "were" if len(record.models.names) + record.models.more > 1 else "was"
    commit = f"commit {record.commit[:12]}" if record.commit else "an unknown commit"
    return f"{what}{more} {verb} rolled back to {commit} by {record.who or 'somebody'} at {record.time}"
