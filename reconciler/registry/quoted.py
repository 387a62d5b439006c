"""Text from a file, made safe to stand in a message."""

from typing import Any

_LONGEST = 60
"""Characters of a quoted text that are shown."""


def quoted(text: Any) -> str:
    """The text in backticks, on one line, without control characters, cut where it is long."""
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(text)[:200])
    return f"`{shown}`" if len(shown) <= _LONGEST else f"`{shown[:_LONGEST]}…`"
