"""What comes of a request: an `Answer`, or `NoAnswer` and why."""

import ssl
from dataclasses import dataclass

from reconciler.state.json_value import JsonValue, parse_json


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `status_code` is any, redirects and errors included."""

    status_code: int
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 in it is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> JsonValue:
        """The body as JSON. Raises ValueError when it is none."""
        return parse_json(self.content)


class NoAnswer(Exception):
    """A request that got no answer. `reason` says why, in words that continue a sentence."""

    def __init__(self, error: Exception, *, never_connected: bool = False) -> None:
        self.is_timeout = isinstance(error, TimeoutError)
        self.reason = "no answer in time" if self.is_timeout else _reason(error)
        super().__init__(self.reason)
        self.is_tls = isinstance(error, ssl.SSLError)
        """Whether the two sides could not agree on a secure connection."""
        self.never_connected = never_connected
        """Whether the server cannot have seen anything of the request."""


def _reason(error: Exception) -> str:
    text = str((isinstance(error, OSError) and error.strerror) or error).strip()
    return text[:1].lower() + text[1:] if text else type(error).__name__
