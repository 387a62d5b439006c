"""What a replica answers in place of the engine, in the shape of the OpenAI API: `{"error": {...}}`."""

import json
from typing import Any

_RETRY_AFTER_S = 30
"""When an adapter that could not be loaded is tried again (`runtime.engine.adapters`)."""

Refusal = tuple[dict[str, Any], bytes]
"""Head and body of an answer."""


def unknown_adapter(model_id: str, adapter_id: str) -> Refusal:
    """The model has no such adapter."""
    message = f"There is no model `{model_id}:{adapter_id}`: `{model_id}` has no such adapter"
    return _refusal(404, message, "invalid_request_error", "model_not_found")


def unavailable_adapter(model_id: str, adapter_id: str, reason: str) -> Refusal:
    """The model should have it, and it cannot be loaded."""
    message = f"The adapter `{model_id}:{adapter_id}` cannot be served: {reason}"
    return _refusal(503, message, "service_unavailable", "adapter_unavailable", [["retry-after", str(_RETRY_AFTER_S)]])


def _refusal(status: int, message: str, kind: str, code: str, headers: list[list[str]] | None = None) -> Refusal:
    body = json.dumps({"error": {"message": message, "type": kind, "param": "model", "code": code}}).encode()
    described = [["content-type", "application/json"], ["content-length", str(len(body))]]
    return {"status": status, "headers": [*described, *(headers or [])]}, body
