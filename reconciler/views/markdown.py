"""Writing Markdown that stays what it is whatever a user's text holds: no mention, no HTML, no broken table.

What is meant literally goes into a code span; sentences keep the code spans they have between backticks and lose
every other meaning.
"""

import re
from collections.abc import Sequence

from reconciler.views.printable import printable

# What means something inside a line; a sentence never begins one.
_PUNCTUATION = re.compile(r"([\\`*_\[\]|~$])")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_REFERENCE = re.compile(r"(@|#)(?=\w)")
_LITERAL = re.compile(r"`([^`]+)`")


def code(text: str) -> str:
    """A code span, also safe in a table cell."""
    text = printable(text) or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}".replace("|", "\\|")


def prose(text: str) -> str:
    """A sentence: what stands between backticks becomes a code span, everything else is plain text."""
    parts = _LITERAL.split(printable(text))
    return "".join(code(part) if index % 2 else _plain(part) for index, part in enumerate(parts))


def row(cells: Sequence[str]) -> str:
    """One line of a table; the cells are Markdown already."""
    return f"| {' | '.join(cells)} |"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table with its head."""
    return [row(head), row(["---"] * len(head)), *(row(cells) for cells in rows)]


def html(text: str) -> str:
    """Text between HTML tags, where Markdown is not read."""
    return _without_references(printable(text).translate(_HTML))


def _plain(text: str) -> str:
    return _without_references(_PUNCTUATION.sub(r"\\\1", text.translate(_HTML)))


def _without_references(text: str) -> str:
    # GitHub looks for mentions and references in the rendered text: a zero-width space behind the sign hides them.
    return _REFERENCE.sub("\\1&#8203;", text)
