"""Adapters are models of their own for clients, and reach the deployment of the model that they adapt."""

import asyncio
import json
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.gateway import adapters, availability
from tests.support.local_gateway import LocalGateway, echo

FR = {"defaults": {"temperature": 0, "top_p": 0.5}, "stop": ["FIN"], "aliases": ["french"], "description": "French"}
MODEL = {"defaults": {"temperature": 1}, "stop": ["END"], "stop_token_ids": [7], "aliases": ["c"]}


def running(replicas: int = 1) -> Any:
    """What Serve says of a model with so many replicas."""
    deployment = SimpleNamespace(replica_states={"RUNNING": replicas})
    application = SimpleNamespace(status="RUNNING", deployments={"LLMServer:org/chat": deployment})
    return lambda: SimpleNamespace(applications={"org/chat": application})


def gateway(replicas: int = 1, found: Any = (), **route: Any) -> LocalGateway:
    made = LocalGateway(**{"org/chat": echo})
    made.gateway._dispatch._availability._read = running(replicas)
    made.found["org/chat"] = found
    return made.configure({"org/chat": {**MODEL, **route}})


def seen(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return {**found, "body": json.loads(found["body"])}


@pytest.mark.parametrize("name", ["org/chat:fr", "french", "c:fr"])
def test_a_named_adapter_is_asked_for_by_its_names(name: str) -> None:
    found = seen(gateway(adapters={"fr": FR}).chat(name))
    assert found["adapter"] == "fr"
    assert found["body"]["model"] == "org/chat:fr"
    # Every replica has it: any of them will do.
    assert "multiplexed_model_id" not in found


def test_an_adapter_has_the_defaults_of_its_model_unless_it_has_its_own() -> None:
    made = gateway(adapters={"fr": FR, "de": {}})
    body = seen(made.chat("org/chat:fr"))["body"]
    assert (body["temperature"], body["top_p"], body["stop"]) == (0, 0.5, ["FIN"])
    # One list in the registry says all of its stops.
    assert "stop_token_ids" not in body
    body = seen(made.chat("org/chat:de"))["body"]
    assert (body["temperature"], body["stop"], body["stop_token_ids"]) == (1, ["END"], [7])
    assert "adapter" not in seen(made.chat("org/chat"))


def test_an_adapter_without_stops_has_none() -> None:
    body = seen(gateway(adapters={"fr": {"stop": [], "stop_token_ids": []}}).chat("org/chat:fr"))["body"]
    assert "stop" not in body
    assert "stop_token_ids" not in body


@pytest.mark.parametrize("name", ["org/chat:de", "org/chat:", "org/other:fr", "french:fr"])
def test_an_adapter_that_nobody_names_is_not_found(name: str) -> None:
    response = gateway(adapters={"fr": FR}).chat(name)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_below_a_path_the_engine_is_asked_and_a_replica_that_has_it_first() -> None:
    made = gateway(lora_path="s3://b/l", adapters={"fr": FR})
    found = seen(made.chat("c:team:v2"))
    assert (found["adapter"], found["body"]["model"]) == ("team:v2", "org/chat:team:v2")
    assert found["multiplexed_model_id"] == "org/chat:team:v2"
    assert found["body"]["temperature"] == 1
    assert "multiplexed_model_id" not in seen(made.chat("org/chat:fr"))


def test_a_request_for_an_adapter_counts_as_one_for_its_model() -> None:
    made = gateway(lora_path="s3://b/l", adapters={"fr": FR})
    for name in ("org/chat", "french", "org/chat:any"):
        made.chat(name)
    counted = asyncio.run(made.gateway.traffic_here())
    assert {name: entry["requests"] for name, entry in counted["models"].items()} == {"org/chat": 3}


def test_adapters_are_listed_beside_their_model() -> None:
    made = gateway(lora_path="s3://b/l", adapters={"fr": FR}, found=["fr", "v1"])
    listed = {entry["id"]: entry for entry in made.ask("GET", "/v1/models").json()["data"]}
    assert list(listed) == ["org/chat", "org/chat:fr", "org/chat:v1"]
    assert listed["org/chat:fr"]["parent"] == listed["org/chat:v1"]["parent"] == "org/chat"
    assert "parent" not in listed["org/chat"]
    assert listed["org/chat:fr"]["metadata"] == {"kind": "generation", "description": "French"}
    for name in listed:
        assert made.ask("GET", f"/v1/models/{name}").json() == listed[name]
    assert made.ask("GET", "/v1/models/french").json() == listed["org/chat:fr"]
    missing = made.ask("GET", "/v1/models/org/chat:v2")
    assert missing.status_code == 404
    assert "`org/chat:v1`" in missing.json()["error"]["message"]


def test_a_list_is_asked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    made = gateway(lora_path="s3://b/l", found=["v1"])

    def ids() -> list[str]:
        return [entry["id"] for entry in made.ask("GET", "/v1/models").json()["data"]]

    assert ids() == ["org/chat", "org/chat:v1"]
    made.found["org/chat"] = ["v1", "v2"]
    assert ids() == ["org/chat", "org/chat:v1"]
    monkeypatch.setattr(adapters, "_FRESH_S", -1.0)
    # Each request has a loop of its own here, which what is remembered of Serve's status does not outlive.
    monkeypatch.setattr(availability, "_FIRST_LOOK_S", -1.0)
    assert ids() == ["org/chat", "org/chat:v1", "org/chat:v2"]
    # A path that cannot be read now has what it had.
    made.found["org/chat"] = ValueError("the store does not answer")
    assert ids() == ["org/chat", "org/chat:v1", "org/chat:v2"]


def test_a_model_that_is_scaled_to_zero_is_not_woken_for_a_list() -> None:
    made = gateway(replicas=0, lora_path="s3://b/l", found=AssertionError("it was asked"))
    assert [entry["id"] for entry in made.ask("GET", "/v1/models").json()["data"]] == ["org/chat"]


def test_a_replica_that_is_slow_to_list_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(adapters, "_LIMIT_S", 0.01)
    made = gateway(lora_path="s3://b/l")
    made.gateway._catalogue._found._ask = lambda _: never()
    assert [entry["id"] for entry in made.ask("GET", "/v1/models").json()["data"]] == ["org/chat"]


def test_a_key_reaches_the_adapters_that_its_patterns_match() -> None:
    made = LocalGateway(**{"org/chat": echo})
    made.gateway._dispatch._availability._read = running()
    made.found["org/chat"] = ["v1"]
    patterns = {"all": "org/chat*", "base": "org/chat", "fr": "org/chat:fr"}
    keys = {
        name: {"sha256": sha256(name.encode()).hexdigest(), "models": [pattern]} for name, pattern in patterns.items()
    }
    made.configure({"org/chat": {"adapters": {"fr": FR}, "lora_path": "s3://b/l"}}, keys=keys)

    def reached(key: str) -> set[str]:
        headers = {"authorization": f"Bearer {key}"}
        listed = {entry["id"] for entry in made.ask("GET", "/v1/models", headers=headers).json()["data"]}
        for name in ("org/chat", "org/chat:fr", "org/chat:v1"):
            status = made.ask("POST", "/v1/embeddings", headers=headers, json={"model": name}).status_code
            assert status == (200 if name in listed else 404)
        return listed

    assert reached("all") == {"org/chat", "org/chat:fr", "org/chat:v1"}
    assert reached("base") == {"org/chat"}
    assert reached("fr") == {"org/chat:fr"}


def test_the_model_need_not_be_named_where_there_is_one_with_adapters() -> None:
    assert seen(gateway(adapters={"fr": FR}).chat())["body"]["model"] == "org/chat"
