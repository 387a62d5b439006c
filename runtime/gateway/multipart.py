"""The `model` of a form that carries a file (RFC 7578), found and replaced without touching the rest."""

import re
from collections.abc import Iterator

from runtime.gateway.errors import malformed

_BOUNDARY = re.compile(rb'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]*[;\s]name="?model"?(?=[;\r\s]|$)', re.IGNORECASE)


def find_model(content_type: bytes | None, body: bytes) -> str | None:
    """The form's field `model`; None when there is none.

    Raises:
        GatewayError: 400, when it is not a form with a boundary.
    """
    place = _place(content_type, body)
    return None if place is None else body[place].decode(errors="replace") or None


def with_model(content_type: bytes | None, body: bytes, model: str) -> bytes:
    """The form with another model in that field, or with the field, where it had none.

    Raises:
        GatewayError: 400, when it is not a form with a boundary.
    """
    place = _place(content_type, body)
    if place is not None:
        return body[: place.start] + model.encode() + body[place.stop :]
    delimiter = b"--" + _boundary(content_type)
    field = b'%s\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n' % (delimiter, model.encode())
    return field + body


def _boundary(content_type: bytes | None) -> bytes:
    match = _BOUNDARY.search(content_type or b"")
    if match is None or not (content_type or b"").lower().startswith(b"multipart/form-data"):
        raise malformed("The body is not a form: send multipart/form-data with its boundary")
    return match.group(1) or match.group(2)


def _place(content_type: bytes | None, body: bytes) -> slice | None:
    """Where the value of `model` stands."""
    for start, end in _parts(b"--" + _boundary(content_type), body):
        headers_end = body.find(b"\r\n\r\n", start, end)
        if headers_end != -1 and _NAME.search(body[start:headers_end]):
            return slice(headers_end + 4, end)
    return None


def _parts(delimiter: bytes, body: bytes) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends, without the line breaks that belong to the delimiters."""
    position = body.find(delimiter)
    while position != -1:
        start = position + len(delimiter)
        if body[start : start + 2] == b"--":
            return
        position = body.find(b"\r\n" + delimiter, start)
        if position != -1:
            yield start, position
            position += 2
