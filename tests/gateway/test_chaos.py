"""Engines and gateways that die or hang: a client gets an answer, an error in OpenAI's shape, or a second replica's
answer, and never waits for ever."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.serve.local.cluster import LocalCluster
from tests.support.pids import replica_pids
from tests.support.scripted import Stage, engine, gateway, wait_until

pytestmark = pytest.mark.ray

LIMITS = {"answer_s": 3, "silence_s": 3, "queue_s": 3}
TAKEN = {"wait": 0.5}
"""Time for a replica to say that it has taken the request: one that dies before that has not, for Ray, which asks the
next one by itself."""


@pytest.fixture(scope="module", autouse=True)
def deployed(stage: Stage) -> None:
    """Model `a` with two replicas and model `one` with one, behind two replicas of the gateway."""
    two = {"min_replicas": 2, "max_replicas": 2}
    narrow = {"max_ongoing_requests": 1, "max_queued_requests": 1}
    stage.play(
        engine("a", autoscaling_config=two),
        engine("one", **narrow),
        gateway({"a": {}, "one": {}}, replicas=2, limits=LIMITS),
    )


def events(response: httpx.Response) -> list[str]:
    """The data of an event stream."""
    return [event.removeprefix("data: ") for event in response.text.split("\n\n") if event]


def recovered(stage: Stage, *died: str) -> None:
    """Wait until these replicas have been replaced."""
    wait_until(lambda: len(stage.replica_ids("a")) == 2 and not set(died) & set(stage.replica_ids("a")))


def test_a_replica_that_dies_before_it_answers_is_replaced_unnoticed(stage: Stage, tmp_path: Path) -> None:
    response = stage.ask(TAKEN, {"die_unless": str(tmp_path / "died")}, {"say_self": None})
    assert response.status_code == 200, response.text
    first, second = stage.began()
    assert response.text == second != first
    recovered(stage, first)


def test_a_request_that_kills_every_replica_kills_two_and_is_refused(stage: Stage) -> None:
    response = stage.ask(TAKEN, {"die": None})
    assert response.status_code == 503, response.text
    assert response.json()["error"]["code"] == "model_unavailable"
    assert int(response.headers["Retry-After"]) >= 1
    first, second = stage.began()
    assert first != second
    recovered(stage, first, second)


def test_a_replica_that_dies_in_a_stream_ends_it_with_an_error(stage: Stage) -> None:
    response = stage.ask({"say": "data: 1\n\n"}, {"wait": 0.5}, {"die": None})
    assert response.status_code == 200
    first, last = events(response)
    assert first == "1"
    assert json.loads(last)["error"]["code"] == "model_unavailable"
    recovered(stage, *stage.began())


def test_an_engine_that_hangs_before_its_answer_is_a_504(stage: Stage) -> None:
    response = stage.ask({"wait": 600})
    assert response.status_code == 504, response.text
    assert response.json()["error"]["code"] == "timeout"
    wait_until(lambda: stage.logged() == ["began", "cancelled"])


def test_an_engine_that_hangs_in_a_stream_ends_it_with_an_error(stage: Stage) -> None:
    response = stage.ask({"say": "data: 1\n\n"}, {"wait": 600})
    first, last = events(response)
    assert first == "1"
    assert "paused" in json.loads(last)["error"]["message"]
    wait_until(lambda: stage.logged() == ["began", "cancelled"])


def test_a_replica_that_stands_still_does_not_hold_a_client(stage: Stage) -> None:
    response = stage.ask({"block": 10}, model="one")
    assert response.status_code == 504, response.text


def test_a_full_queue_is_a_429_and_a_long_wait_a_503(stage: Stage) -> None:
    wait_until(lambda: stage.ask(model="one").status_code == 200)
    stage.log.unlink()
    found: list[httpx.Response] = []

    def ask(*script: Any) -> None:
        # A connection for each: the queue is that of one replica of the gateway.
        with httpx.Client(base_url=stage.http.base_url, timeout=60) as http:
            body = {"model": "one", "script": script, "log": str(stage.log)}
            found.append(http.post("/v1/chat/completions", json=body))

    # Longer than anybody waits for it, and never silent for as long.
    holder = threading.Thread(target=ask, args=[{"say": "data: 1\n\n"}, {"wait": 1}] * 10)
    holder.start()
    wait_until(lambda: stage.logged() == ["began"])
    waiters = [threading.Thread(target=ask, args=[{"say_self": None}]) for _ in range(8)]
    for thread in waiters:
        thread.start()
    for thread in (*waiters, holder):
        thread.join()
    refused = [response for response in found if response.status_code != 200]
    codes = {(response.status_code, response.json()["error"]["code"]) for response in refused}
    assert codes == {(429, "too_many_requests"), (503, "model_unavailable")}
    assert all(int(response.headers["Retry-After"]) >= 1 for response in refused)


def test_a_gateway_that_dies_takes_only_what_it_had(stage: Stage, ray_cluster: LocalCluster) -> None:
    two = stage.replica_ids("gateway")
    assert len(two) == 2
    results: list[Any] = []

    def stream() -> None:
        try:
            with httpx.Client(base_url=stage.http.base_url, timeout=60) as http:
                response = http.post(
                    "/v1/chat/completions",
                    json={"model": "a", "script": [{"say": "data: 1\n\n"}, {"wait": 4}], "log": str(stage.log)},
                )
                results.append((response.status_code, response.text))
        except httpx.HTTPError as error:
            results.append(error)

    streams = [threading.Thread(target=stream) for _ in range(8)]
    for thread in streams:
        thread.start()
    wait_until(lambda: stage.logged().count("began") == 8)
    os.kill(next(iter(replica_pids(ray_cluster, "gateway").values())), signal.SIGKILL)
    for _ in range(20):
        with httpx.Client(base_url=stage.http.base_url, timeout=30) as http:
            assert http.post("/v1/chat/completions", json={"model": "a"}).status_code in (200, 500)
    for thread in streams:
        thread.join(60)
        assert not thread.is_alive()
    assert len(results) == 8
    whole = [result for result in results if isinstance(result, tuple) and result[0] == 200]
    assert whole
    # The models that worked for the gateway that died have stopped.
    wait_until(lambda: stage.logged().count("began") == len([e for e in stage.logged() if e != "began"]))
    wait_until(lambda: len(stage.replica_ids("gateway")) == 2)
