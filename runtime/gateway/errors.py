"""What the gateway refuses, in the words of the OpenAI API: `{"error": {message, type, param, code}}`."""

from collections.abc import Iterable
from itertools import islice

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
        self.body = {"error": {"message": message, "type": type, "param": param, "code": code}}
        self.headers = {} if retry_after_s is None else {"Retry-After": str(max(1, round(retry_after_s)))}


def model_not_found(model: str, known: Iterable[str]) -> GatewayError:
    """No model of that id or alias."""
    message = f"There is no model `{model}`. {_listed(known)}"
    return GatewayError(404, message, param="model", code="model_not_found")


def model_required(known: Iterable[str]) -> GatewayError:
    """The request names no model and it is not obvious which one it means."""
    return GatewayError(400, f"Say which `model` is meant. {_listed(known)}", param="model", code="model_required")


def unavailable(model: str, reason: str, retry_after_s: float = _RETRY_AFTER_S) -> GatewayError:
    """The model is known but nothing can answer for it now."""
    message = f"Model `{model}` is not available: {reason}"
    return GatewayError(503, message, type="service_unavailable", code="model_unavailable", retry_after_s=retry_after_s)


def _listed(known: Iterable[str]) -> str:
    ids = sorted(known)
    if not ids:
        return "No model is served at present"
    named = ", ".join(f"`{model}`" for model in islice(ids, _NAMED))
    rest = len(ids) - _NAMED
    return f"Served: {named}" + (f" and {rest} more, see /v1/models" if rest > 0 else "")
