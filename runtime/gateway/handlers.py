"""Answers every kind of error in the shape of the OpenAI API, which clients parse."""

from typing import Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from runtime.gateway.errors import GatewayError


class EngineError(Protocol):
    """An error that the engine answered with (`ray.llm`'s `OpenAIHTTPException`)."""

    status_code: int
    message: str
    type: str


def install(app: FastAPI) -> None:
    """Register the handlers of all errors but those of the engine."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)


async def engine_error(_: Request, error: EngineError) -> JSONResponse:
    """The handler of errors that the engine answered with."""
    return _response(GatewayError(error.status_code, error.message, type=error.type, code=error.status_code))


async def _gateway_error(_: Request, error: GatewayError) -> JSONResponse:
    return _response(error)


async def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    # The input is left out: it is what the client sent, and may be long.
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _response(GatewayError(400, "The body is not JSON", code="invalid_request"))
    param = ".".join(str(part) for part in first["loc"] if part != "body") or None
    where = f"`{param}`: " if param else ""
    return _response(GatewayError(400, f"{where}{first['msg']}", param=param, code="invalid_request"))


async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    return _response(GatewayError(error.status_code, str(error.detail), code=error.status_code))


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    # Its text may quote the request; the replica's log has it.
    return _response(GatewayError(500, "The gateway failed to answer", type="internal_error", code=500))


def _response(error: GatewayError) -> JSONResponse:
    return JSONResponse(error.body, status_code=error.status, headers=error.headers)
