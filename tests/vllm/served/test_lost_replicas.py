"""A replica dies while a client listens: what the client sees is an error that it understands, and never a hang."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest

from reconciler.serve.local.cluster import LocalCluster
from tests.support.deployed import Deployed
from tests.support.pids import replica_pids
from tests.support.scenarios import HELLO, MODEL

pytestmark = pytest.mark.vllm

HANG_S = 60.0
"""The longest silence that is no hang: of a busy machine of two cores."""
RETURN_S = 300.0


@pytest.fixture
def asker(tiny: Deployed) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{tiny.address}/v1", api_key="none", max_retries=0, timeout=HANG_S)


def streamed(asker: openai.OpenAI) -> Any:
    """A long answer that has begun."""
    request: dict[str, Any] = {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 900, "stream": True}
    stream = asker.chat.completions.create(**request, extra_body={"ignore_eos": True})
    next(stream)
    return stream


def ask(asker: openai.OpenAI) -> str:
    """A short answer."""
    request: dict[str, Any] = {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 12}
    return str(asker.chat.completions.create(**request).choices[0].message.content)


def kill(cluster: LocalCluster, application: str) -> str:
    """Kill the only replica of an application; its id."""
    [(replica_id, pid)] = replica_pids(cluster, application).items()
    os.kill(pid, signal.SIGKILL)
    return replica_id


def await_another(tiny: Deployed, application: str, gone: str) -> None:
    """Until another replica serves."""
    deadline = time.monotonic() + RETURN_S
    while gone in [replica.replica_id for replica in tiny.replicas(application)]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    tiny.world.settle(RETURN_S)


def answered_in_the_end(asker: openai.OpenAI, refused: Callable[[openai.APIError], bool]) -> str:
    """Ask until there is an answer. Whatever else comes meanwhile has to be `refused` as it should."""
    deadline = time.monotonic() + RETURN_S
    while True:
        try:
            return ask(asker)
        except openai.APIError as error:
            assert refused(error), repr(error)
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_stream_whose_model_dies_ends_with_an_error(
    tiny: Deployed, asker: openai.OpenAI, ray_cluster: LocalCluster
) -> None:
    said = ask(asker)
    stream = streamed(asker)
    gone = kill(ray_cluster, "local--tiny-chat")
    with pytest.raises(openai.APIError) as raised:
        for _ in stream:
            pass
    assert raised.value.body is not None, repr(raised.value)
    assert set(raised.value.body) == {"message", "type", "param", "code"}  # type: ignore[call-overload]

    def unavailable(error: openai.APIError) -> bool:
        return isinstance(error, openai.InternalServerError) and error.status_code == 503

    assert answered_in_the_end(asker, unavailable) == said
    await_another(tiny, "local--tiny-chat", gone)


def test_a_stream_whose_gateway_dies_breaks_off_and_is_no_answer(
    tiny: Deployed, asker: openai.OpenAI, ray_cluster: LocalCluster
) -> None:
    said = ask(asker)
    stream = streamed(asker)
    gone = kill(ray_cluster, "gateway")
    # Nobody is left who could say why; what must not happen is that half an answer looks like a whole one.
    with pytest.raises(openai.APIConnectionError):
        for _ in stream:
            pass
    with openai.OpenAI(base_url=asker.base_url, api_key="none", max_retries=10, timeout=HANG_S) as patient:
        assert ask(patient) == said
    await_another(tiny, "gateway", gone)
