"""Models that somebody else runs, on real Ray: settings in place, one budget for all replicas, and what goes wrong."""

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.engines import Fleet, fleet, wait_until
from tests.support.upstream import Received, Upstream, Wire, beside, completion, delta

pytestmark = pytest.mark.ray

MODEL = """
engine_config:
  type: SaaSEngine
  model_id: local/service
  saas:
    base_url: {address}
    model: {model}
    idle_timeout_s: 5
    {more}
deployment_config:
  autoscaling_config: {{min_replicas: {replicas}, max_replicas: {replicas}}}
  graceful_shutdown_timeout_s: 2
  ray_actor_options: {{num_cpus: {cpus}}}
"""
CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def services(
    ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    with fleet(ray_cluster, client, tmp_path_factory.mktemp("services")) as found:
        yield found


def serve(
    fleet: Fleet, upstream: Upstream, model: str = "theirs", *, replicas: int = 1, cpus: float = 0.01, more: str = ""
) -> None:
    text = MODEL.format(address=upstream.base_url, model=model, replicas=replicas, cpus=cpus, more=more)
    fleet.write(local__service=text)
    fleet.apply()


def chat(fleet: Fleet, **fields: Any) -> Any:
    return fleet.post(CHAT, {"model": "local/service", "messages": MESSAGES, **fields})


def test_another_model_there_is_asked_by_the_same_replica(services: Fleet) -> None:
    with beside(completion) as upstream:
        serve(services, upstream, "first")
        before = services.replica_ids("local/service")
        assert chat(services).json()["model"] == "local/service"
        serve(services, upstream, "second", more="retries: 5")
        assert chat(services).status_code == 200
        assert services.replica_ids("local/service") == before
        assert [received.fields["model"] for received in upstream.received] == ["first", "second"]
        assert "authorization" not in upstream.received[0].headers


def test_a_budget_is_that_of_all_replicas_and_outlives_them(services: Fleet) -> None:
    with beside(completion) as upstream:
        serve(services, upstream, replicas=2, more="budget: {requests_per_day: 4}")
        found = [chat(services) for _ in range(7)]
        assert sorted(response.status_code for response in found) == [200] * 4 + [429] * 3
        refused = next(response for response in found if response.status_code == 429)
        assert refused.json()["error"]["code"] == "budget_exceeded"
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        before = services.replica_ids("local/service")
        serve(services, upstream, replicas=2, cpus=0.02, more="budget: {requests_per_day: 4}")
        assert not set(before) & set(services.replica_ids("local/service"))
        assert chat(services).status_code == 429
        assert len(upstream.received) == 4
        serve(services, upstream, replicas=2, cpus=0.02, more="budget: {requests_per_day: 6}")
        assert [chat(services).status_code for _ in range(3)] == [200, 200, 429]


def test_a_client_that_goes_away_closes_the_connection_to_the_service(services: Fleet) -> None:
    async def endless(wire: Wire, received: Received) -> None:
        await wire.head(content_type="text/event-stream")
        while not wire.gone.is_set():
            await wire.chunk(b"data: " + json.dumps(delta("x")).encode() + b"\n\n")
            await asyncio.sleep(0.02)

    with beside(endless) as upstream:
        serve(services, upstream)
        request = {"model": "local/service", "messages": MESSAGES, "stream": True}
        with services.http.stream("POST", CHAT, json=request) as response:
            next(response.iter_bytes())
        wait_until(upstream.gone.is_set, 20)
        assert services.ongoing("local/service") == 0


def test_a_service_that_fails_in_any_way_is_told_in_openai_s_shape(services: Fleet) -> None:
    async def hangs(wire: Wire, received: Received) -> None:
        await wire.gone.wait()

    async def half(wire: Wire, received: Received) -> None:
        await wire.head(content_type="application/json", content_length="100")
        await wire.send(b'{"id"')
        wire.writer.close()

    async def garbage(wire: Wire, received: Received) -> None:
        await wire.answer(b"<html>", kind="text/html")

    async def limited(wire: Wire, received: Received) -> None:
        await wire.answer({"error": {"message": "slow down"}}, 429, retry_after="60")

    async def broken(wire: Wire, received: Received) -> None:
        await wire.answer({"detail": "out of order"}, 500)

    expected = {hangs: 504, half: 502, garbage: 502, limited: 429, broken: 500}
    for script, status in expected.items():
        with beside(script) as upstream:
            serve(services, upstream)
            response = chat(services)
            assert response.status_code == status, (script.__name__, response.text)
            assert response.json()["error"]["message"]
    # The last one's address, where nobody listens any more.
    assert chat(services).json()["error"]["code"] == "no_connection"


def test_a_key_that_the_nodes_do_not_have_is_named(services: Fleet) -> None:
    with beside(completion) as upstream:
        text = MODEL.format(
            address=upstream.base_url, model="m", replicas=1, cpus=0.01, more="api_key: ${env:NO_SUCH_KEY}"
        )
        services.write(local__service=text)
        status, message = services.apply(running=False)["local--service"]
        assert status in ("DEPLOY_FAILED", "UNHEALTHY", "DEPLOYING")
        assert "`NO_SUCH_KEY` is not set on this node but `saas.api_key` refers to it" in message
        serve(services, upstream)
        assert chat(services).status_code == 200


def test_a_provider_that_litellm_translates(services: Fleet) -> None:
    async def message(wire: Wire, received: Received) -> None:
        content = [{"type": "text", "text": "hello"}]
        usage = {"input_tokens": 7, "output_tokens": 3}
        answer = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": content}
        await wire.answer({**answer, "stop_reason": "end_turn", "usage": usage})

    with beside(message) as upstream:
        address = upstream.base_url.removesuffix("/v1")
        more = "provider: anthropic\n    api_key: ${env:HOME}"  # A variable that every node has.
        services.write(local__service=MODEL.format(address=address, model="claude", replicas=1, cpus=0.01, more=more))
        services.apply()
        response = chat(services)
        assert response.status_code == 200, response.text
        found = response.json()
        assert (found["model"], found["choices"][0]["message"]["content"]) == ("local/service", "hello")
        assert upstream.received[0].path == "/v1/messages"
        assert upstream.received[0].headers["x-api-key"] == os.environ["HOME"]
