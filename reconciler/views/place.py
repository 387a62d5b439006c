"""Where something is written, as people read it."""

from reconciler.diagnostics import Position
from reconciler.views.printable import printable


def place(position: Position | None) -> str:
    """File, line and column; the start of a file goes without saying. Empty for nowhere."""
    if position is None:
        return ""
    return printable(position.file if (position.line, position.column) == (1, 1) else str(position))
