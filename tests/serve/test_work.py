import json
from typing import Any

import pytest

from reconciler.serve.work import PATH, read_work
from reconciler.state.work import About, Adapter, ReplicaWork, UnknownWork, Weights, Work
from tests.support.web import Handler, serving

COUNTED = {"requests": 33, "ongoing": 1, "last_s": 1.5, "watched_s": 60.5}
ABOUT = {"vllm": "0.29.0", "ray": "2.60.0", "weights": {"source": "org/a", "revision": "1" * 40}}


def asked(status: int, body: Any, paths: list[str] | None = None) -> Work | UnknownWork:
    """What is made of this answer."""

    class Gateway(Handler):
        def do_GET(self) -> None:
            if paths is not None:
                paths.append(self.path)
            self.reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    with serving(Gateway) as address:
        return read_work(address)


def replicas(**said: Any) -> Any:
    """What is made of a model of which these replicas answered."""
    found = asked(200, {"models": {"org/a": said}})
    assert isinstance(found, Work)
    return found.of("org--a")


def test_what_the_replicas_say_is_read() -> None:
    paths: list[str] = []
    body = {"models": {"org/a": {"r1": {**COUNTED, "about": ABOUT}}, "org/b": None}}
    about = About({"ray": "2.60.0", "vllm": "0.29.0"}, Weights("org/a", "1" * 40))
    assert asked(200, body, paths) == Work(
        {
            "org--a": (ReplicaWork("r1", 33, 1, 1.5, 60.5, about),),
            "org--b": UnknownWork("its replicas did not answer"),
        }
    )
    assert paths == [PATH]


def test_an_older_replica_says_less() -> None:
    assert replicas(**{"#0": {**COUNTED, "last_s": None}}) == (ReplicaWork(None, 33, 1, None, 60.5),)
    [found] = replicas(r1={**COUNTED, "about": {"vllm": "0.29.0", "weights": None, "more": {"x": 1}}})
    assert found.about == About({"vllm": "0.29.0"})
    assert replicas() == ()


def test_adapters_are_told_without_secrets() -> None:
    failed = {"source": "org/fr", "revision": None, "state": "failed", "reason": "401: token=abcdef123456"}
    loaded = {"source": "org/de", "revision": "2" * 40, "state": "loaded"}
    [found] = replicas(r1={**COUNTED, "about": {"adapters": {"fr": failed, "de": loaded}}})
    assert found.about is not None
    assert found.about.adapters == {
        "de": Adapter("loaded", "2" * 40),
        "fr": Adapter("failed", None, "401: token=(hidden)"),
    }


@pytest.mark.parametrize(
    "said",
    [3, {"r1": {}}, {"r1": 3}, {"r1": {**COUNTED, "requests": None}}, {"r1": {**COUNTED, "about": {"weights": 3}}}],
)
def test_replicas_that_say_something_else_spoil_no_others(said: Any) -> None:
    found = asked(200, {"models": {"org/a": said, "org/b": {"r2": COUNTED}}})
    assert isinstance(found, Work)
    assert found.of("org--a") == UnknownWork("its replicas are of a version that does not count requests")
    assert found.of("org--b") == (ReplicaWork("r2", 33, 1, 1.5, 60.5),)
    assert found.of("org--d") == UnknownWork("the gateway does not know it")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, {"error": {}}, "of a version that does not ask the replicas"),
        (503, {"error": {}}, "answered 503"),
        (200, b"<html>log in</html>", "is not the gateway"),
        (200, [1], "is not the gateway"),
        (200, {"models": None}, "is not the gateway"),
        (200, {"applications": {}}, "is not the gateway"),
    ],
)
def test_any_other_answer_means_that_nobody_knows(status: int, body: Any, reason: str) -> None:
    found = asked(status, body)
    assert isinstance(found, UnknownWork)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("address", "reason"),
    [("http://127.0.0.1:9", "cannot be reached from here"), ("", "is no address of a web server")],
)
def test_so_does_a_gateway_that_cannot_be_reached(address: str, reason: str) -> None:
    found = read_work(address)
    assert isinstance(found, UnknownWork)
    assert reason in found.reason
