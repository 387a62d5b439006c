"""A request waits for a model that will answer, and only for such a one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.gateway import availability
from runtime.gateway.availability import Availability, why_unavailable
from runtime.gateway.errors import GatewayError
from runtime.gateway.table import Route

ROUTE = Route("chat", "chat", "LLMServer:chat", "generation")


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


async def answers(*items: str, after: asyncio.Event | None = None) -> AsyncGenerator[str, None]:
    if after is not None:
        await after.wait()
    for item in items:
        yield item


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
    def read() -> Any:
        raise AssertionError("asked")

    async def collect() -> list[str]:
        return [item async for item in Availability(read).watch(answers("a", "b"), ROUTE)]

    assert asyncio.run(collect()) == ["a", "b"]


def test_an_error_of_the_model_is_passed_on() -> None:
    async def broken() -> AsyncGenerator[str, None]:
        raise ValueError("engine died")
        yield ""

    async def collect() -> list[str]:
        return [item async for item in Availability(lambda: MISSING).watch(broken(), ROUTE)]

    with pytest.raises(ValueError, match="engine died"):
        asyncio.run(collect())


def test_a_model_that_is_not_there_is_refused_and_its_request_is_cancelled() -> None:
    cancelled: list[bool] = []

    async def stuck() -> AsyncGenerator[str, None]:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        yield ""

    async def collect() -> None:
        with pytest.raises(GatewayError, match="its application is not deployed") as raised:
            await anext(Availability(lambda: MISSING).watch(stuck(), ROUTE))
        assert raised.value.status == 503
        await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(collect(), 30))
    assert cancelled == [True]


def waits_through(read: Callable[[], Any], looks: int) -> list[str]:
    """What a request gets that is answered only after `read` was called `looks` times."""

    async def collect() -> list[str]:
        answer = asyncio.Event()
        loop = asyncio.get_running_loop()
        called = 0

        def counted() -> Any:
            nonlocal called
            called += 1
            if called == looks:
                loop.call_soon_threadsafe(answer.set)
            return read()

        watched = Availability(counted).watch(answers("a", after=answer), ROUTE)
        return [item async for item in watched]

    return asyncio.run(asyncio.wait_for(collect(), 30))


def test_a_slow_model_is_waited_for() -> None:
    assert waits_through(lambda: seen(Status.RUNNING, RUNNING=1), looks=3) == ["a"]


def test_a_controller_that_cannot_be_asked_refuses_nobody() -> None:
    def fail() -> Any:
        raise ConnectionError("the controller restarts")

    assert waits_through(fail, looks=3) == ["a"]


def test_requests_that_wait_together_share_a_look() -> None:
    asked: list[None] = []

    async def collect() -> None:
        def read() -> Any:
            asked.append(None)
            return MISSING

        shared = Availability(read)
        requests = [anext(shared.watch(answers("a", after=asyncio.Event()), ROUTE)) for _ in range(20)]
        results = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(result, GatewayError) for result in results)

    asyncio.run(asyncio.wait_for(collect(), 30))
    assert len(asked) < 20
