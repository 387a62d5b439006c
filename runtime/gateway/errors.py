"""What goes wrong in the gateway, in the shape of the OpenAI API: `{"error": {message, type, param, code}}`."""

from collections.abc import Iterable
from itertools import islice

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from ray.llm._internal.serve.core.configs.openai_api_models import OpenAIHTTPException
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

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

    def response(self) -> JSONResponse:
        """The answer to the client."""
        return JSONResponse(self.body, status_code=self.status, headers=self.headers)


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


def install(app: FastAPI) -> None:
    """Make `app` answer every kind of error in OpenAI's shape."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(OpenAIHTTPException, _engine_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)


def _listed(known: Iterable[str]) -> str:
    ids = sorted(known)
    if not ids:
        return "No model is served at present"
    named = ", ".join(f"`{model}`" for model in islice(ids, _NAMED))
    rest = len(ids) - _NAMED
    return f"Served: {named}" + (f" and {rest} more, see /v1/models" if rest > 0 else "")


async def _gateway_error(_: Request, error: GatewayError) -> JSONResponse:
    return error.response()


async def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    # The input is left out: it is what the client sent, and may be long.
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return GatewayError(400, "The body is not JSON", code="invalid_request").response()
    param = ".".join(str(part) for part in first["loc"] if part != "body") or None
    where = f"`{param}`: " if param else ""
    return GatewayError(400, f"{where}{first['msg']}", param=param, code="invalid_request").response()


async def _engine_error(_: Request, error: OpenAIHTTPException) -> JSONResponse:
    return GatewayError(error.status_code, error.message, type=error.type, code=error.status_code).response()


async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    return GatewayError(error.status_code, str(error.detail), code=error.status_code).response()


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    # Its text may quote the request; the replica's log has it.
    return GatewayError(500, "The gateway failed to answer", type="internal_error", code=500).response()
