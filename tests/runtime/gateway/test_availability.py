"""A request waits for a model that will answer, and only for such a one, and not for ever."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.gateway import availability
from runtime.gateway.availability import Availability, why_unavailable
from runtime.gateway.errors import GatewayError
from runtime.gateway.limits import Limits
from runtime.gateway.route import Route

ROUTE = Route("chat", "chat", "LLMServer:chat", "generation")
PATIENT = Limits()
LONG_S = 30


class Status(StrEnum):
    RUNNING = "RUNNING"
    DEPLOYING = "DEPLOYING"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    UNHEALTHY = "UNHEALTHY"
    DELETING = "DELETING"


MISSING = SimpleNamespace(applications={})


def seen(application: Status, deployment: str = "LLMServer:chat", **replicas: int) -> Any:
    """Serve's status with one application, as `ray.serve.status` gives it."""
    deployments = {deployment: SimpleNamespace(replica_states=replicas)}
    return SimpleNamespace(applications={"chat": SimpleNamespace(status=application, deployments=deployments)})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(availability, "_FIRST_LOOK_S", 0.01)
    monkeypatch.setattr(availability, "_LATER_LOOKS_S", 0.01)
    yield


def watched(
    read: Callable[[], Any], after: asyncio.Event | None = None, *, taken: bool = False, limits: Limits = PATIENT
) -> Any:
    """What a request gets that is answered after an event; None: at once."""

    async def opening() -> str:
        if after is not None:
            await after.wait()
        return "answer"

    return Availability(read).watch(opening(), lambda: taken, ROUTE, limits)


def refused(read: Callable[[], Any], *, taken: bool = False, limits: Limits = PATIENT) -> GatewayError:
    """How a request is refused that nobody answers."""

    async def run() -> GatewayError:
        with pytest.raises(GatewayError) as raised:
            await watched(read, asyncio.Event(), taken=taken, limits=limits)
        return raised.value

    return asyncio.run(asyncio.wait_for(run(), LONG_S))


def unasked() -> Any:
    raise AssertionError("asked")


def test_a_missing_application_is_not_waited_for() -> None:
    assert why_unavailable(MISSING, ROUTE) == "its application is not deployed"


@pytest.mark.parametrize("application", [status for status in Status if status is not Status.RUNNING])
def test_without_a_running_replica_the_state_of_the_application_is_the_reason(application: Status) -> None:
    found = why_unavailable(seen(application, STARTING=1), ROUTE)
    assert found == f"its application is {application.value} and no replica is running"


@pytest.mark.parametrize("application", list(Status))
def test_a_running_replica_is_waited_for_whatever_else_goes_on(application: Status) -> None:
    assert why_unavailable(seen(application, RUNNING=1, STARTING=1), ROUTE) is None


def test_a_model_scaled_to_zero_is_waited_for() -> None:
    assert why_unavailable(seen(Status.RUNNING), ROUTE) is None


def test_an_application_still_being_built_has_no_deployments() -> None:
    assert why_unavailable(seen(Status.DEPLOYING, deployment="other"), ROUTE) is not None


def test_a_quick_answer_is_passed_on_and_nobody_is_asked() -> None:
    assert asyncio.run(watched(unasked)) == "answer"


def test_an_error_of_the_model_is_passed_on() -> None:
    async def broken() -> str:
        raise ValueError("engine died")

    with pytest.raises(ValueError, match="engine died"):
        asyncio.run(Availability(unasked).watch(broken(), lambda: False, ROUTE, PATIENT))


def test_a_model_that_is_not_there_is_refused_and_its_request_is_cancelled() -> None:
    cancelled: list[bool] = []

    async def stuck() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        return ""

    async def run() -> None:
        with pytest.raises(GatewayError, match="its application is not deployed") as raised:
            await Availability(lambda: MISSING).watch(stuck(), lambda: False, ROUTE, PATIENT)
        assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "10"})
        await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), LONG_S))
    assert cancelled == [True]


def test_who_goes_away_takes_the_request_along() -> None:
    async def run() -> None:
        stuck = asyncio.ensure_future(asyncio.Event().wait())

        async def opening() -> None:
            await stuck

        waiting = asyncio.ensure_future(Availability(unasked).watch(opening(), lambda: True, ROUTE, PATIENT))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert stuck.cancelled()

    asyncio.run(asyncio.wait_for(run(), LONG_S))


def test_a_model_that_starts_too_slowly_is_given_up() -> None:
    error = refused(lambda: seen(Status.RUNNING, STARTING=1), limits=replace(PATIENT, start_s=0.05))
    assert (error.status, error.headers) == (503, {"Retry-After": "10"})
    assert str(error) == "Model `chat` is not available: it is starting, and is not ready yet"


def test_a_model_whose_replicas_are_busy_for_too_long_is_given_up() -> None:
    error = refused(lambda: seen(Status.RUNNING, RUNNING=1), limits=replace(PATIENT, queue_s=0.05))
    assert (error.status, error.headers) == (503, {"Retry-After": "10"})
    assert str(error) == "Model `chat` is not available: all its replicas are busy"


def test_a_replica_that_does_not_answer_is_given_up_without_asking_anybody() -> None:
    error = refused(unasked, taken=True, limits=replace(PATIENT, answer_s=0.05))
    assert error.status == 504
    assert str(error) == "Model `chat` did not begin to answer within 0.05 seconds"


def waits_through(read: Callable[[], Any], looks: int, limits: Limits = PATIENT) -> Any:
    """What a request gets that is answered only after `read` was called `looks` times."""

    async def run() -> Any:
        answer = asyncio.Event()
        loop = asyncio.get_running_loop()
        called = 0

        def counted() -> Any:
            nonlocal called
            called += 1
            if called == looks:
                loop.call_soon_threadsafe(answer.set)
            return read()

        return await watched(counted, answer, limits=limits)

    return asyncio.run(asyncio.wait_for(run(), LONG_S))


def test_a_busy_model_is_waited_for() -> None:
    busy = replace(PATIENT, start_s=0.0, answer_s=0.0)
    assert waits_through(lambda: seen(Status.RUNNING, RUNNING=1), looks=3, limits=busy) == "answer"


def test_a_starting_model_is_waited_for() -> None:
    starting = replace(PATIENT, queue_s=0.0, answer_s=0.0)
    assert waits_through(lambda: seen(Status.RUNNING), looks=3, limits=starting) == "answer"


def test_a_controller_that_cannot_be_asked_refuses_nobody() -> None:
    def fail() -> Any:
        raise ConnectionError("the controller restarts")

    assert waits_through(fail, looks=3) == "answer"


def test_even_without_the_controller_nobody_waits_for_ever() -> None:
    def fail() -> Any:
        raise ConnectionError("the controller is gone")

    error = refused(fail, limits=replace(PATIENT, start_s=0.05, queue_s=0.01))
    assert str(error) == "Model `chat` is not available: no replica took the request in time"


def test_requests_that_wait_together_share_a_look() -> None:
    asked: list[None] = []

    async def run() -> None:
        def read() -> Any:
            asked.append(None)
            return MISSING

        shared = Availability(read)

        async def stuck() -> None:
            await asyncio.Event().wait()

        requests = [shared.watch(stuck(), lambda: False, ROUTE, PATIENT) for _ in range(20)]
        results = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(result, GatewayError) for result in results)

    asyncio.run(asyncio.wait_for(run(), LONG_S))
    assert len(asked) < 20
