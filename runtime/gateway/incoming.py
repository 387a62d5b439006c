"""A client's request, read once."""

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic_core import from_json, to_json

from runtime.gateway.errors import malformed, too_large

Headers = Iterable[tuple[bytes, bytes]]

_KEPT_HERE = frozenset(
    # Hop by hop (RFC 9110, 7.6.1), or true of this connection only.
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade host content-length expect "
    # Who may ask has been settled here.
    b"authorization x-api-key cookie "
    b"x-request-id x-reconciler-exact".split()
)
"""Headers that are not passed on as they came."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants of a model."""

    path: str
    body: bytes
    """As it came."""
    model: str | None
    """The model that it names."""
    fields: dict[str, Any] = field(default_factory=dict)
    """The fields of a JSON body; nothing of a form."""
    content_type: bytes | None = None
    headers: list[list[str]] = field(default_factory=list)
    """What an engine gets of the headers, as pairs of text."""
    identifier: str = ""
    """The id of the request, which is among them."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first header of that name, which is in lower case."""
    return next((value for key, value in headers if key == name), None)


def request_id(headers: Headers) -> str:
    """The client's own id for the request where it is one that may stand in logs, else a new one."""
    given = header(headers, b"x-request-id")
    return given.decode() if given is not None and _REQUEST_ID.fullmatch(given) else uuid4().hex


def passed_on(headers: Headers, identifier: str) -> list[list[str]]:
    """The headers that an engine gets, as pairs of text."""
    kept = [[key.decode("latin-1"), value.decode("latin-1")] for key, value in headers if key not in _KEPT_HERE]
    return [*kept, ["x-request-id", identifier]]


async def read_body(headers: Headers, pieces: AsyncIterator[bytes], limit_bytes: int) -> bytes:
    """The whole body.

    Raises:
        GatewayError: 413, when it is longer than the limit, as soon as that is known.
    """
    announced = header(headers, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit_bytes:
        raise too_large(limit_bytes)
    found: list[bytes] = []
    length = 0
    async for piece in pieces:
        length += len(piece)
        if length > limit_bytes:
            raise too_large(limit_bytes)
        found.append(piece)
    return found[0] if len(found) == 1 else b"".join(found)


def parse(body: bytes) -> tuple[str | None, dict[str, Any]]:
    """The model and the fields of a JSON request.

    Raises:
        GatewayError: 400, when it is not a JSON object, or its model is not a text.
    """
    try:
        fields = from_json(body, cache_strings=False)
    except ValueError as error:
        # Its message says where, and quotes nothing.
        raise malformed(f"The body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise malformed("The body is not a JSON object")
    model = fields.get("model")
    if model is not None and not isinstance(model, str):
        raise malformed("`model` is not a text", "model")
    return model or None, fields


def write(fields: dict[str, Any]) -> bytes:
    """A JSON body."""
    return to_json(fields)
