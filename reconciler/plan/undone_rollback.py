"""What a reader of a plan should know after a rollback: git still says what was rolled back."""

from collections.abc import Iterator

from reconciler.plan.match import Match
from reconciler.plan.plan import Source
from reconciler.state.live import LiveState
from reconciler.state.way_back import rollback_words, standing_rollback


def undone_rollback(found: Match, live: LiveState, owner: str, source: Source) -> Iterator[str]:
    """A warning where a plan has something to do after a rollback, and is of another commit than that one."""
    record = standing_rollback(live, owner)
    if record is not None and found.candidates and (source.dirty or source.commit != record.commit):
        yield f"{rollback_words(record)}; this plan may bring back what was rolled back"
