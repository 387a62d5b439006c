"""What the gateway refuses, in the words of the OpenAI API: `{"error": {message, type, param, code}}`."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

_NAMED = 10
"""Model ids that an error lists at most."""

_RETRY_AFTER_S = 10


class GatewayError(Exception):
    """A request that the gateway refuses."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """`status` is the HTTP status; `type`, `param` and `code` are the fields of OpenAI's error object."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": type, "param": param, "code": code}}
        self.headers = {} if retry_after_s is None else {"Retry-After": str(max(1, round(retry_after_s)))}


def model_not_found(model: str, known: Iterable[str]) -> GatewayError:
    """No model of that id or alias."""
    message = f"There is no model `{model}`. {_listed(known)}"
    return GatewayError(404, message, param="model", code="model_not_found")


def model_required(known: Iterable[str]) -> GatewayError:
    """The request names no model and it is not obvious which one it means."""
    return GatewayError(400, f"Say which `model` is meant. {_listed(known)}", param="model", code="model_required")


def unknown_path(method: str, path: str) -> GatewayError:
    """Nothing is there."""
    return GatewayError(404, f"There is nothing at `{method} {path}`", code="unknown_url")


def wrong_method(method: str, path: str) -> GatewayError:
    """Something is there, for another method."""
    return GatewayError(405, f"`{path}` is not asked with {method}", code="method_not_allowed")


def malformed(message: str, param: str | None = None) -> GatewayError:
    """The body is not what the path takes."""
    return GatewayError(400, message, param=param, code="invalid_request")


def too_large(limit_bytes: int) -> GatewayError:
    """The body is longer than the gateway takes."""
    message = f"The request is longer than {limit_bytes} bytes"
    return GatewayError(413, message, code="request_too_large")


def unauthorized(message: str) -> GatewayError:
    """No key, or a wrong one."""
    error = GatewayError(401, message, code="invalid_api_key")
    error.headers["WWW-Authenticate"] = "Bearer"
    return error


def forbidden(message: str) -> GatewayError:
    """A key that does not allow it."""
    return GatewayError(403, message, type="permission_error", code="insufficient_permissions")


def no_chat(model: str) -> GatewayError:
    """The model answers no conversations."""
    message = f"Model `{model}` does not support chat completions: use /v1/completions"
    return GatewayError(404, message, param="model", code="chat_disabled")


def too_many_output_tokens(model: str, name: str, wanted: float, limit: int) -> GatewayError:
    """The request asks for a longer answer than it may."""
    message = f"{name} is too large: {wanted}. Model `{model}` answers with at most {limit} tokens"
    return GatewayError(400, message, param=name, code="invalid_value")


def overloaded(model: str, retry_after_s: float | None) -> GatewayError:
    """The model's queue is full."""
    message = f"Too many requests for model `{model}` are waiting"
    retry = retry_after_s or 1
    return GatewayError(429, message, type="rate_limit_error", code="too_many_requests", retry_after_s=retry)


def unavailable(model: str, reason: str, retry_after_s: float = _RETRY_AFTER_S) -> GatewayError:
    """The model is known but nothing can answer for it now."""
    message = f"Model `{model}` is not available: {reason}"
    return GatewayError(503, message, type="service_unavailable", code="model_unavailable", retry_after_s=retry_after_s)


def too_slow(model: str, limit_s: float) -> GatewayError:
    """A replica has the request and did not begin to answer."""
    message = f"Model `{model}` did not begin to answer within {limit_s:g} seconds"
    return GatewayError(504, message, type="timeout", code="timeout")


def failed(model: str) -> GatewayError:
    """A replica broke down over the request. Why is in its log: the reason may quote the request."""
    return GatewayError(502, f"The engine of model `{model}` failed", type="internal_error", code="engine_failed")


def internal() -> GatewayError:
    """The gateway itself broke down."""
    return GatewayError(500, "The gateway failed to answer", type="internal_error", code=500)


def uncounted() -> GatewayError:
    """Not every replica of the gateway said what it counted."""
    message = "Not every replica of the gateway answered"
    return GatewayError(503, message, type="service_unavailable", code="traffic_unknown", retry_after_s=_RETRY_AFTER_S)


def _listed(known: Iterable[str]) -> str:
    ids = sorted(known)
    if not ids:
        return "No model is served at present"
    named = ", ".join(f"`{model}`" for model in islice(ids, _NAMED))
    rest = len(ids) - _NAMED
    return f"Served: {named}" + (f" and {rest} more, see /v1/models" if rest > 0 else "")
