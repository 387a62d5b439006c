"""What vLLM's application has no path for: it has those of the model's own tasks only."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse


async def not_offered(request: Request, error: HTTPException) -> JSONResponse:
    """The error in the shape of OpenAI's. vLLM shapes those that it raises itself, and not those of its router."""
    message = f"This model does not answer `{request.url.path}`"
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": "not_offered"}
    return JSONResponse({"error": body}, error.status_code, error.headers)
