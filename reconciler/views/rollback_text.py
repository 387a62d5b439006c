"""Where a rollback leads, for people: from where, to where, and what git says meanwhile."""

from dataclasses import dataclass

from reconciler.state.provenance import Record
from reconciler.views.moment import moment
from reconciler.views.printable import printable
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table


@dataclass(frozen=True, slots=True)
class Way:
    """The two ends of a rollback, as the cluster and git know them."""

    present: Record | None
    """The last apply; None when the cluster remembers none."""
    present_subject: str | None
    """The subject of its commit, where this clone has it."""
    to: str
    to_subject: str
    applied: Record | None
    """The last apply of the commit that the rollback goes to, if it is remembered."""
    head: str
    """The commit that is checked out."""
    taking_back: str | None
    """The git command that makes the rollback last; None when git says the same already."""

    @property
    def present_commit(self) -> str | None:
        """The commit of the last apply."""
        return self.present.commit if self.present else None


def rollback_text(way: Way, style: Style = PLAIN) -> str:
    """A few lines that stand above the plan."""
    rows = [
        (
            "  from",
            _commit(way.present.commit if way.present else None),
            way.present_subject or "",
            _applied(way.present),
        ),
        ("  to", _commit(way.to), way.to_subject, _applied(way.applied)),
    ]
    lines = [style.bold("rolling back"), *table([[printable(cell) for cell in row] for row in rows])]
    if way.taking_back is None:
        lines.append("the registry that is checked out says the same: an apply of it changes nothing of this")
    else:
        lines.append(
            style.yellow(f"git still says what {way.head[:12]} does: the next apply of the registry brings it back")
        )
        lines.append(f"to make the rollback last: {printable(way.taking_back)}")
    return "\n".join(lines) + "\n"


def _commit(commit: str | None) -> str:
    return commit[:12] if commit else "unknown"


def _applied(record: Record | None) -> str:
    return f"applied {moment(record.time)} by {record.who or 'somebody'}" if record else "not remembered as applied"
