"""Refusals carry what a client needs to react to them."""

import pytest

from runtime.gateway.errors import GatewayError, unavailable


def test_an_unavailable_model_says_why_and_when_to_come_back() -> None:
    error = unavailable("chat", "its application is not deployed")
    assert (error.status, error.headers) == (503, {"Retry-After": "10"})
    assert error.body["error"] == {
        "message": "Model `chat` is not available: its application is not deployed",
        "type": "service_unavailable",
        "param": None,
        "code": "model_unavailable",
    }


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (1, "1"), (2.6, "3")])
def test_retry_after_is_whole_seconds_and_never_zero(seconds: float, header: str) -> None:
    assert unavailable("chat", "busy", seconds).headers == {"Retry-After": header}


def test_other_errors_do_not_invite_a_retry() -> None:
    assert GatewayError(400, "no").headers == {}
