import json
from typing import Any

import pytest

from reconciler.serve.traffic import PATH, read_traffic
from reconciler.state.traffic import ModelTraffic, Traffic, UnknownTraffic
from tests.support.web import Handler, serving

REPORT = {"replicas": 2, "watched_s": 60.5, "models": {"org/a": {"requests": 3, "last_s": 1.5}}}


def asked(status: int, body: Any, paths: list[str] | None = None) -> Traffic | UnknownTraffic:
    """What is made of this answer."""

    class Gateway(Handler):
        def do_GET(self) -> None:
            if paths is not None:
                paths.append(self.path)
            self.reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    with serving(Gateway) as address:
        return read_traffic(address)


def test_the_traffic_of_a_gateway_is_read() -> None:
    paths: list[str] = []
    assert asked(200, REPORT, paths) == Traffic(60.5, {"org/a": ModelTraffic(3, 1.5)}, 2)
    assert paths == [PATH]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, {"error": {}}, "of a version that does not count requests"),
        (503, {"error": {}}, "answered 503"),
        (401, b"", "wants a key for all models"),
        (403, b"", "wants a key for all models"),
        (200, b"<html>log in</html>", "is not the gateway"),
        (200, {"data": [{"id": "org/a"}]}, "is not the gateway"),
        (200, [1], "is not the gateway"),
        (200, {**REPORT, "models": {"org/a": 3}}, "is not the gateway"),
        (200, {**REPORT, "models": None}, "is not the gateway"),
        (200, {**REPORT, "watched_s": "long"}, "is not the gateway"),
    ],
)
def test_any_other_answer_means_that_nobody_knows(status: int, body: Any, reason: str) -> None:
    found = asked(status, body)
    assert isinstance(found, UnknownTraffic)
    assert reason in found.reason


def test_our_key_is_sent_along() -> None:
    seen: list[str | None] = []

    class Gateway(Handler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.reply(200, json.dumps(REPORT).encode())

    with serving(Gateway) as address:
        assert isinstance(read_traffic(address, "sk-1"), Traffic)
    assert seen == ["Bearer sk-1"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [("http://127.0.0.1:9", "cannot be reached from here"), ("", "is no address of a web server")],
)
def test_so_does_a_gateway_that_cannot_be_reached(address: str, reason: str) -> None:
    found = read_traffic(address)
    assert isinstance(found, UnknownTraffic)
    assert reason in found.reason
