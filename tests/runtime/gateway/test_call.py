"""One request to one model: what comes is passed on at once, and whatever goes wrong has an answer."""

import asyncio
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from ray.exceptions import ActorDiedError, RayActorError
    from ray.serve._private.common import DeploymentID
    from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

    from runtime.gateway.call import Call, begin

from runtime.gateway.availability import Availability
from runtime.gateway.errors import GatewayError
from runtime.gateway.limits import Limits
from runtime.gateway.route import Route

ROUTE = Route("chat", "chat", "LLMServer:chat", "generation")
HEAD = {"status": 200, "headers": [["content-type", "text/event-stream"]]}
SILENCE_S = 30.0


class Responses:
    """What a handle answers with: parts, errors among them, and at the end for ever nothing where `...` stands."""

    def __init__(self, *parts: Any) -> None:
        self._parts = list(parts)
        self._replica_result: Any = None
        self.cancelled = False

    async def __anext__(self) -> Any:
        self._replica_result = object()
        if not self._parts:
            raise StopAsyncIteration
        part = self._parts.pop(0)
        if part is ...:
            await asyncio.Event().wait()
        if isinstance(part, BaseException):
            raise part
        return part

    def cancel(self) -> None:
        self.cancelled = True
        # As Ray does it.
        raise ValueError("the call has failed already")


def unasked() -> Any:
    raise AssertionError("asked")


async def begun(*attempts: Responses, repeatable: bool = True, limits: Limits | None = None) -> Call:
    left = list(attempts)
    ask: Callable[[], Any] = lambda: left.pop(0)  # noqa: E731
    return await begin(ask, ROUTE, Availability(unasked), limits or Limits(), repeatable=repeatable)


def bodies(*parts: Any, head: Any = HEAD, silence_s: float = SILENCE_S) -> list[Any]:
    """What is sent of an answer: `(piece, whether more comes)`, and how it broke off, as text."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        assert message["type"] == "http.response.body"
        sent.append((message["body"], message["more_body"]))

    async def run() -> None:
        responses = Responses(head, *parts)
        call = await begun(responses)
        try:
            await call.relay(send, silence_s)
        except GatewayError as error:
            assert responses.cancelled
            sent.append(str(error))

    asyncio.run(asyncio.wait_for(run(), 60))
    return sent


def refused(*attempts: Responses, repeatable: bool = True, limits: Limits | None = None) -> GatewayError:
    async def run() -> GatewayError:
        with pytest.raises(GatewayError) as raised:
            await begun(*attempts, repeatable=repeatable, limits=limits)
        return raised.value

    found = asyncio.run(asyncio.wait_for(run(), 60))
    assert all(responses.cancelled for responses in attempts)
    return found


def test_the_head_is_the_engines() -> None:
    call = asyncio.run(begun(Responses({"status": 418, "headers": [["x-a", "b\xe9"]]})))
    assert (call.status, call.headers) == (418, [(b"x-a", b"b\xe9")])


def test_pieces_are_sent_as_they_come() -> None:
    assert bodies(b"a", b"b") == [(b"a", True), (b"b", True), (b"", False)]


def test_an_empty_body_ends() -> None:
    assert bodies() == [(b"", False)]
    assert bodies(head={"status": 200, "headers": [["content-length", "0"]]}) == [(b"", False)]


def test_a_body_of_known_length_ends_with_its_last_piece() -> None:
    head = {"status": 200, "headers": [["content-length", "3"]]}
    assert bodies(b"a", b"bc", head=head) == [(b"a", True), (b"bc", False)]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RayActorError(), "Model `chat` is not available: the replica that had the request is gone"),
        (ValueError("secret words"), "The engine of model `chat` failed"),
        (asyncio.CancelledError(), "The engine of model `chat` failed"),
    ],
)
def test_an_answer_that_breaks_off_sends_what_came(error: BaseException, message: str) -> None:
    assert bodies(b"a", error) == [(b"a", True), message]


def test_an_answer_that_pauses_for_too_long_is_given_up() -> None:
    expected = "Model `chat` is not available: its answer paused for 0.05 seconds"
    assert bodies(b"a", b"b", ..., silence_s=0.05) == [(b"a", True), (b"b", True), expected]


def test_who_goes_away_stops_the_model() -> None:
    async def run() -> bool:
        responses = Responses(HEAD, b"a", ...)
        call = await begun(responses)

        async def send(message: Any) -> None:
            pass

        relay = asyncio.ensure_future(call.relay(send, SILENCE_S))
        await asyncio.sleep(0.01)
        relay.cancel()
        with pytest.raises(asyncio.CancelledError):
            await relay
        return responses.cancelled

    assert asyncio.run(run())


def test_who_goes_away_before_the_answer_stops_the_model() -> None:
    async def run() -> bool:
        responses = Responses(...)
        waiting = asyncio.ensure_future(begun(responses))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return responses.cancelled

    assert asyncio.run(run())


def test_a_replica_that_dies_before_it_answers_is_replaced_once() -> None:
    dead = Responses(ActorDiedError())
    call = asyncio.run(begun(dead, Responses(HEAD, b"a")))
    assert call.status == 200
    assert dead.cancelled


def test_so_is_one_that_dies_between_the_head_and_the_first_piece() -> None:
    assert asyncio.run(begun(Responses(HEAD, RayActorError()), Responses({**HEAD, "status": 201}))).status == 201


def test_a_second_death_is_an_answer() -> None:
    error = refused(Responses(RayActorError()), Responses(RayActorError()))
    assert (error.status, error.headers) == (503, {"Retry-After": "1"})


def test_what_must_not_be_repeated_is_not() -> None:
    assert refused(Responses(RayActorError()), repeatable=False).status == 503


def test_a_full_queue_is_a_429() -> None:
    error = refused(Responses(BackPressureError(num_queued_requests=9, max_queued_requests=9)))
    assert (error.status, error.headers) == (429, {"Retry-After": "1"})
    assert error.body["error"]["type"] == "rate_limit_error"


def test_a_deployment_that_is_gone_is_a_503() -> None:
    error = refused(Responses(DeploymentUnavailableError(DeploymentID(name="LLMServer:chat", app_name="chat"))))
    assert error.status == 503


@pytest.mark.parametrize("error", [ValueError("secret words"), asyncio.CancelledError(), StopAsyncIteration()])
def test_an_engine_that_fails_is_a_502_that_quotes_nothing(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("ERROR", logger="ray.serve"):
        found = refused(Responses(error))
    assert found.status == 502
    assert found.body["error"]["message"] == "The engine of model `chat` failed"
    assert "secret words" not in caplog.text


def test_an_engine_that_does_not_begin_is_a_504() -> None:
    for stuck in (Responses(...), Responses(HEAD, ...)):
        assert refused(stuck, limits=replace(Limits(), answer_s=0.05)).status == 504
