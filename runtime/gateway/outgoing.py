"""A request as one model gets it."""

from typing import Any

from runtime.gateway import multipart
from runtime.gateway.endpoints import Endpoint
from runtime.gateway.errors import no_chat
from runtime.gateway.generation import fill
from runtime.gateway.incoming import Asked, write
from runtime.gateway.route import Route


def outgoing(asked: Asked, endpoint: Endpoint, route: Route) -> dict[str, Any]:
    """What `answer` of the route's engine takes: plain data. The body is the client's own, byte by byte, unless
    something has to be added to it.

    Raises:
        GatewayError: the model does not answer such requests, or not this one.
    """
    if endpoint.chat and not route.chat:
        raise no_chat(route.model_id)
    return {
        **({"adapter": route.adapter} if route.adapter is not None else {}),
        "method": "POST",
        "path": asked.path,
        "headers": asked.headers,
        "body": _body(asked, endpoint, route),
        "terms": route.terms if endpoint.generates else {},
    }


def _body(asked: Asked, endpoint: Endpoint, route: Route) -> bytes:
    renamed = asked.model != route.model_id
    if endpoint.multipart:
        return multipart.with_model(asked.content_type, asked.body, route.model_id) if renamed else asked.body
    # Another model may have other defaults, so what came stays as it is.
    fields = dict(asked.fields)
    filled = fill(fields, endpoint, route)
    if renamed:
        fields["model"] = route.model_id
    return write(fields) if filled or renamed else asked.body
