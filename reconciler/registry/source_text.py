"""From the bytes of a file to text that can be parsed with every line where an editor shows it."""

import re

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.secret import find_secrets

MAX_BYTES = 1024 * 1024
"""The largest file that is read. The longest real model files are a hundredth of it."""

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

# Control characters, and the line breaks that YAML 1.1 counts and editors do not.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def decode(file: str, content: bytes) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text of a file, or None where it is refused, and what is wrong with it as text."""
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES:,} bytes"
        return None, (Diagnostic(Position(file), "file-too-large", message, "keep one model to a file"),)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            message = f"the file begins with a byte order mark of {encoding}"
            return None, (Diagnostic(Position(file), "byte-order-mark", message, "save it as UTF-8 without a mark"),)
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return None, (_not_utf8(file, content, error),)
    unwanted = tuple(
        Diagnostic(
            text_position(file, text, match.start()),
            "control-character",
            f"the character U+{ord(match[0]):04X} is not allowed",
            "remove it, or write it as an escape in double quotes",
        )
        for match in _UNWANTED.finditer(text)
    )
    # One is enough to tell a binary file.
    return (None, unwanted[:1]) if unwanted else (text, secrets(file, text))


def secrets(file: str, text: str) -> tuple[Diagnostic, ...]:
    """Whatever looks like a well-known kind of token, anywhere in the text, comments included. Never echoed."""
    return tuple(
        Diagnostic(
            text_position(file, text, offset),
            "secret-in-clear",
            f"this looks like {kind}",
            "revoke it, remove it and write `${env:NAME}`: the variable is read on the cluster's nodes",
        )
        for offset, kind in find_secrets(text)
    )


def text_position(file: str, text: str, offset: int) -> Position:
    """The line and column of a character of the text."""
    start = text.rfind("\n", 0, offset) + 1
    return Position(file, text.count("\n", 0, offset) + 1, offset - start + 1)


def _not_utf8(file: str, content: bytes, error: UnicodeDecodeError) -> Diagnostic:
    before = content[: error.start].decode()
    position = text_position(file, before, len(before))
    message = f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8"
    return Diagnostic(position, "not-utf-8", message, "save the file as UTF-8")
