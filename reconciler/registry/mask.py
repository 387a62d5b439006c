"""Text of programs as it may be shown: without what looks like a secret."""

import re
from collections.abc import Iterable

from reconciler.registry.secret import find_secrets, is_secret_name

HIDDEN = "(hidden)"

_SHORTEST = 4
"""Shorter values of variables are no secrets, and occur in every text."""

_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_ASSIGNED = re.compile(
    r"""(?P<name>[A-Za-z_][\w-]*)(?P<sign>["']?\s*[=:]\s*["']?)"""
    r"""(?!(?i:bearer|basic)\s)(?P<value>[^\s"',;&(){}\[\]]{4,})"""
)
_WORD = re.compile(r"""[^\s"',;]+""")
_KEY_BLOCK = re.compile(r"^[A-Za-z0-9+/=]{50,}$")
_HUGGING_FACE = re.compile(r"\bhf_[A-Za-z0-9]{6,}")


def mask(text: str) -> str:
    """The text without anything that looks like a secret: token shapes, bearer values, values of secret names."""
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _ASSIGNED.sub(_mask_assigned, text)
    for start in sorted({start for start, _ in find_secrets(text)}, reverse=True):
        text = text[:start] + _WORD.sub(HIDDEN, text[start:], count=1)
    return _KEY_BLOCK.sub(HIDDEN, _HUGGING_FACE.sub(HIDDEN, text))


def without_values(text: str, values: Iterable[str]) -> str:
    """The text without these values, the longest first."""
    for value in sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def _mask_assigned(match: re.Match[str]) -> str:
    if not is_secret_name(match["name"]) or match["value"].startswith("$"):
        return match[0]
    return f"{match['name']}{match['sign']}{HIDDEN}"
