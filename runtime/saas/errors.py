"""What is answered where there is no answer of the service: OpenAI's error object, and never a word of a secret."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

SHOWN = 600
"""Characters of a foreign text that an error quotes."""

_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"'<>]+")
_HIDDEN = "[hidden]"

_OUR_CREDENTIALS = frozenset({401, 402, 403, 407})
"""Refusals of what this cluster sent as its key, of which the client knows nothing and which it cannot mend."""


class SaaSError(Exception):
    """A request that gets an error for an answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "upstream_error",
        param: str | None = None,
        code: str | int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """`status` is the HTTP status; `type`, `param` and `code` are the fields of OpenAI's error object."""
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": type, "param": param, "code": status if code is None else code}
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> list[list[str]]:
        """The headers of the answer."""
        headers = [["content-type", "application/json"]]
        if self.retry_after_s is not None:
            headers.append(["retry-after", str(max(1, round(self.retry_after_s)))])
        return headers

    @property
    def body(self) -> bytes:
        """The answer to a request that waits for one object."""
        return json.dumps({"error": self.error}, ensure_ascii=False).encode()

    @property
    def event(self) -> bytes:
        """The end of an event stream that has begun, as vLLM ends its own."""
        return b"data: " + self.body + b"\n\ndata: [DONE]\n\n"


def bad_request(message: str, param: str | None = None) -> SaaSError:
    """What the client has to mend."""
    return SaaSError(400, message, type="invalid_request_error", param=param, code="invalid_request")


def scrubbed(text: str, secrets: Collection[str]) -> str:
    """A foreign text without any of the secrets, or what stands behind `Bearer`."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return _BEARER.sub(lambda match: f"{match[1]} {_HIDDEN}", text)


def upstream_error(
    status: int, content: bytes, secrets: Collection[str], retry_after_s: float | None = None
) -> SaaSError:
    """The service's own refusal in OpenAI's shape, whichever shape it has itself."""
    said = _said(content)
    message = scrubbed(str(said.get("message") or "the service gave no reason"), secrets)[:SHOWN]
    if status in _OUR_CREDENTIALS:
        # What the service says of a key it may quote in part, so only the refusal itself is told.
        refused = "does not accept the key of this cluster" if status != 402 else "wants to be paid"
        reason = "" if status == 401 else f": {message}"
        return SaaSError(502, f"The service {refused} ({status}){reason}", type="upstream_refused_cluster", code=status)
    kind = said.get("type")
    return SaaSError(
        status if status >= 400 else 502,
        message,
        type=scrubbed(kind, secrets) if isinstance(kind, str) else "upstream_error",
        param=_text(said.get("param"), secrets),
        code=_text(said.get("code"), secrets) or status,
        retry_after_s=retry_after_s,
    )


def _said(content: bytes) -> Mapping[str, Any]:
    """What an error's body says: the object that OpenAI has, one of the shapes of others, or the text as it is."""
    text = content.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text}
    if isinstance(found, list) and found:
        # Google wraps its errors in a list.
        found = found[0]
    inner = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("error_msg") or inner.get("detail") or inner.get("msg")
        return {**inner, "message": message if isinstance(message, str) else json.dumps(message or inner)}
    return {"message": inner if isinstance(inner, str) else text}


def _text(value: Any, secrets: Collection[str]) -> str | None:
    return scrubbed(str(value), secrets)[:SHOWN] if isinstance(value, str | int) and value != "" else None
