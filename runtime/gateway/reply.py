"""What the gateway answers with, as Ray Serve sends it."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from runtime.gateway.call import Call, Send
from runtime.gateway.errors import GatewayError
from runtime.gateway.incoming import header
from runtime.gateway.metrics import Measured
from runtime.gateway.usage import find_usage

_NOT_PASSED_ON = frozenset(
    b"connection keep-alive transfer-encoding upgrade trailer te date server x-request-id".split()
)
"""Headers of an engine's answer that are true of its own connection only, or that Serve writes."""


class Reply(Response):
    """A response of known length."""

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """`content` is sent as JSON."""
        super().__init__(to_json(content), status, headers, "application/json")


class RelayedReply(Response):
    """A model's answer, passed on as it comes. Serve only calls it: nothing else of a response is here."""

    def __init__(self, call: Call, identifier: str, silence_s: float, measured: Measured) -> None:
        """`identifier` is the request's id; `silence_s` is how long the answer may pause."""
        self._call = call
        self._identifier = identifier.encode()
        self._silence_s = silence_s
        self._measured = measured

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        """Send it.

        Raises:
            GatewayError: it broke off, and it is no stream of events that could say so.
        """
        status = 499
        try:
            await send({"type": "http.response.start", "status": self._call.status, "headers": self._head(scope)})
            await self._call.relay(send, self._silence_s)
            status = self._call.status
        except GatewayError as error:
            status = error.status
            if not self._is_event_stream():
                raise
            event = b"\n\ndata: %s\n\n" % to_json(error.body)
            await send({"type": "http.response.body", "body": event, "more_body": False})
        finally:
            self._measured.end(status, find_usage(self._call.end))

    def _head(self, scope: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        headers = [pair for pair in self._call.headers if pair[0] not in _NOT_PASSED_ON]
        headers.append((b"x-reconciler-model", self._call.route.model_id.encode()))
        if header(scope["headers"], b"x-request-id") != self._identifier:
            # Else it is Serve that gives the client's own id back.
            headers.append((b"x-request-id", self._identifier))
        return headers

    def _is_event_stream(self) -> bool:
        content_type = header(self._call.headers, b"content-type")
        return content_type is not None and content_type.startswith(b"text/event-stream")


def refusal(error: GatewayError) -> Reply:
    """An error."""
    return Reply(error.body, error.status, error.headers)
