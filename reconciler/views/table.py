"""Aligned columns of plain text."""

from collections.abc import Sequence

from reconciler.views.printable import columns


def table(rows: Sequence[Sequence[str]], indent: str = "", gap: str = "  ", right: Sequence[int] = ()) -> list[str]:
    """One line per row, each column as wide as its widest cell, the columns in `right` aligned to the right."""
    widths: list[int] = []
    for row in rows:
        for index, cell in enumerate(row):
            if index == len(widths):
                widths.append(0)
            widths[index] = max(widths[index], columns(cell))
    lines = []
    for row in rows:
        cells = []
        for index, cell in enumerate(row):
            padding = " " * (widths[index] - columns(cell))
            cells.append(padding + cell if index in right else cell + padding)
        lines.append((indent + gap.join(cells)).rstrip())
    return lines
