"""Text from files and clusters, made safe and short enough for one line of a terminal."""

import re
import unicodedata
from collections.abc import Sequence

_COLOUR = re.compile("\033\\[[0-9;]*m")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text on one line: control characters, terminal escapes and invisible marks appear as `\\x1b`-like escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in _UNPRINTABLE else character
        for character in text
    )


def prose(text: str) -> str:
    """Text of several lines that somebody else wrote, for a terminal: it keeps its line ends and tabs, and other
    control characters appear as escapes, so that it cannot move the cursor or change the terminal."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
        else character
        for character in text
    )


def log_line(text: str) -> str:
    """A line that a program wrote to its log: its colours are dropped, anything else unprintable is escaped."""
    return printable(_COLOUR.sub("", text))


def cut(text: str, width: int) -> str:
    """The text in at most `width` characters: a longer one loses its middle, because both ends tell values apart."""
    if len(text) <= width:
        return text
    kept = max(width - 1, 2)
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters two, combining ones and colours none."""
    text = _COLOUR.sub("", text)
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def plural(count: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{count} {noun if count == 1 else noun + 's'}"


def listed(items: Sequence[str], limit: int = 12) -> str:
    """The items after commas; a long list says how many are left out."""
    shown = ", ".join(printable(item) for item in items[:limit])
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown
