"""What an unquoted YAML value means, where every reader agrees on it.

YAML 1.1 and 1.2 read `no`, `010`, `1e3`, `1:30` and more in different ways, and so do tools. Here there is one meaning
for each kind of value: `true`, `false`, `null` (in any case, or `~`, or nothing), decimal integers, and floats as both
versions read them.
Anything else that any reader takes for more than a string is a surprise.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

Scalar = bool | int | float | str | None

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0o?[0-9_]+")
_OTHER_BASE = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+)")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:.*)?")
_MAX_DIGITS = 19
"""Digits of the largest integer of 64 bits, which is what JSON readers and engines hold."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """Why an unquoted value is refused. `meaning` follows the value in a sentence; `hint` names its safe spelling."""

    rule: str
    meaning: str
    hint: str


@lru_cache(maxsize=4096)
def resolve(text: str) -> tuple[Scalar, Surprise | None]:
    """The value of an unquoted scalar, and why it is refused, if it is. Then the value is the likeliest one."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-.":
        return _number(text)
    return text, None


def _words() -> dict[str, tuple[Scalar, Surprise | None]]:
    words: dict[str, tuple[Scalar, Surprise | None]] = {"": (None, None), "~": (None, None)}
    for value, spelling, others in ((True, "true", ("yes", "on", "y")), (False, "false", ("no", "off", "n"))):
        for word in (cased for other in others for cased in _cases(other)):
            hint = f'write `{spelling}`, or quote it if text is meant: `"{word}"`'
            meaning = "is a boolean to some YAML readers and text to others"
            words[word] = (value, Surprise("yaml-boolean", meaning, hint))
        words |= dict.fromkeys(_cases(spelling), (value, None))
    return words | dict.fromkeys(_cases("null"), (None, None))


def _cases(word: str) -> tuple[str, str, str]:
    """The spellings that YAML knows of one of its words."""
    return word, word.title(), word.upper()


_WORDS = _words()


def _number(text: str) -> tuple[Scalar, Surprise | None]:
    if _INTEGER.fullmatch(text):
        if len(text.lstrip("+-")) >= _MAX_DIGITS:
            return 0, Surprise("yaml-number", "is too large for an integer of 64 bits", f'quote it: `"{text}"`')
        return int(text), None
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _EXPONENT.fullmatch(text):
        value, surprise = _float(text)
        meaning = "is text in YAML 1.1 and a number in YAML 1.2"
        return value, surprise or Surprise("yaml-number", meaning, f"write `{_plain_number(float(text))}`, or quote it")
    for pattern, rule, meaning, hint in _REFUSED:
        if pattern.fullmatch(text):
            return text, Surprise(rule, meaning, hint.replace("VALUE", text))
    return text, None


def _float(text: str) -> tuple[Scalar, Surprise | None]:
    value = float(text)
    if math.isinf(value):
        return 0.0, Surprise("yaml-number", "is too large for a number", f'quote it: `"{text}"`')
    return value, None


def _plain_number(value: float) -> str:
    """A spelling that YAML 1.1 and 1.2 both read as this number."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    mantissa, separator, exponent = repr(value).partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{separator}{exponent}"


_QUOTE = 'quote it: `"VALUE"`'
_REFUSED: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (
        _LEADING_ZERO,
        "yaml-number",
        "is octal in YAML 1.1 and decimal in YAML 1.2",
        'write it in decimal, or quote it: `"VALUE"`',
    ),
    (_OTHER_BASE, "yaml-number", "is not decimal", 'write it in decimal, or quote it: `"VALUE"`'),
    (
        _UNDERSCORES,
        "yaml-number",
        "is a number in YAML 1.1 and text in YAML 1.2",
        'write it without underscores, or quote it: `"VALUE"`',
    ),
    (_SEXAGESIMAL, "yaml-number", "is a number in base 60 in YAML 1.1 and text in YAML 1.2", _QUOTE),
    (_NOT_FINITE, "yaml-number", "is not a finite number", "write a finite number, or quote it"),
    (_TIMESTAMP, "yaml-timestamp", "is a date to some YAML readers and text to others", _QUOTE),
)
