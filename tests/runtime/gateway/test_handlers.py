"""Every error of the gateway's application comes in the shape that OpenAI clients parse."""

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from starlette.testclient import TestClient

from runtime.gateway import handlers
from runtime.gateway.errors import unavailable


class Body(BaseModel):
    model: str
    messages: list[dict[str, Any]]


@dataclass
class EngineFailure(Exception):
    status_code: int
    message: str
    type: str


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    handlers.install(app)
    app.add_exception_handler(EngineFailure, handlers.engine_error)
    errors: dict[str, Exception] = {
        "unavailable": unavailable("chat", "no replica is running"),
        "http": HTTPException(418, "short and stout"),
        "engine": EngineFailure(400, "max_tokens is too large", "BadRequestError"),
        "bug": RuntimeError("the prompt was: secret"),
    }

    @app.post("/chat")
    async def chat(body: Body) -> Body:
        return body

    @app.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise errors[name]

    return TestClient(app, raise_server_exceptions=False)


def error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return dict(body["error"])


def test_a_refusal_keeps_its_status_and_headers(client: TestClient) -> None:
    response = client.get("/raise/unavailable")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert error(response)["code"] == "model_unavailable"


def test_a_missing_field_is_named(client: TestClient) -> None:
    response = client.post("/chat", json={"model": "chat"})
    assert response.status_code == 400
    assert error(response)["message"] == "`messages`: Field required"
    assert error(response)["param"] == "messages"


def test_a_wrong_field_is_named_without_what_was_sent(client: TestClient) -> None:
    response = client.post("/chat", json={"model": "chat", "messages": ["secret"]})
    assert error(response)["param"] == "messages.0"
    assert "secret" not in response.text


def test_a_body_that_is_not_json_is_said_so(client: TestClient) -> None:
    response = client.post("/chat", content=b"{bad", headers={"content-type": "application/json"})
    assert (response.status_code, error(response)["message"]) == (400, "The body is not JSON")


def test_an_error_of_the_engine_passes_through(client: TestClient) -> None:
    assert error(client.get("/raise/engine")) == {
        "message": "max_tokens is too large",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    }


def test_an_unknown_route_and_other_http_errors_have_the_same_shape(client: TestClient) -> None:
    assert error(client.get("/nowhere"))["message"] == "Not Found"
    assert error(client.get("/raise/http")) == {
        "message": "short and stout",
        "type": "invalid_request_error",
        "param": None,
        "code": 418,
    }


def test_a_bug_is_answered_without_its_text(client: TestClient) -> None:
    response = client.get("/raise/bug")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert error(response)["type"] == "internal_error"
