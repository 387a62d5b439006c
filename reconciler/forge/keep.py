"""Keeping one comment, or one issue, up to date: found again by a mark, edited in place, never written twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.forge.protocols import Discussion, NotOurs, Tracker, Written


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the text is now, and what had to be done for it: `created`, `updated`, `unchanged` or `closed`."""

    url: str
    deed: str


def keep_comments(discussion: Discussion, mark: str, bodies: Sequence[str]) -> list[Kept]:
    """Have exactly these comments with our mark, in this order. Each body begins with the mark.

    Anybody may write a comment with our mark in it, so only those that we wrote are looked at: what somebody else wrote
    could be changed by them after we had edited it.
    """
    ours = [written for written in discussion.comments() if written.body.lstrip().startswith(mark)]
    kept = []
    for body in bodies:
        kept.append(_edited(discussion, ours, body) or Kept(discussion.comment(body).url, "created"))
    for written in ours:
        try:
            discussion.remove(written.number)
        except NotOurs:
            continue
    return kept


def _edited(discussion: Discussion, ours: list[Written], body: str) -> Kept | None:
    """The next comment of ours with this text; None when none is left that may be changed."""
    while ours:
        written = ours.pop(0)
        if written.body.strip() == body.strip():
            return Kept(written.url, "unchanged")
        try:
            return Kept(discussion.edit(written.number, body).url, "updated")
        except NotOurs:
            continue
    return None


def keep_issue(tracker: Tracker, mark: str, title: str, body: str | None) -> Kept | None:
    """Have one open issue with our mark and this text, or none where `body` is None; the answer is None when there was
    nothing to do."""
    for written in tracker.open_issues():
        if not written.body.lstrip().startswith(mark):
            continue
        try:
            if body is None:
                tracker.close_issue(written.number, "There is no drift any more.")
                return Kept(written.url, "closed")
            return Kept(tracker.update_issue(written.number, title, body).url, "updated")
        except NotOurs:
            continue
    return None if body is None else Kept(tracker.open_issue(title, body).url, "created")
