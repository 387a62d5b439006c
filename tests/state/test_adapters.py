"""Adapters reach replicas and the gateway by what both take over in place, and the engine's arguments not at all."""

from typing import Any

import pytest

from reconciler.plan.change import Impact
from reconciler.plan.diff import diff
from reconciler.state.application import Application
from tests.support import states

FR = {"id": "fr", "source": "s3://lora/fr"}


def applications(**engine: Any) -> dict[str, Application]:
    return {
        entry.name: entry.application for entry in states.desired(states.model("org/chat", engine=engine)).applications
    }


def settings(**lora: Any) -> Any:
    [deployment] = applications(lora_config=lora)["org--chat"].config["deployments"]
    return deployment.get("user_config")


def route(**engine: Any) -> Any:
    [deployment] = applications(**engine)["gateway"].config["deployments"]
    return deployment["user_config"]["models"]["org/chat"]


def arguments(**engine: Any) -> Any:
    return applications(**engine)["org--chat"].config["args"]["llm_config"]["engine_kwargs"]


def test_a_model_without_the_section_compiles_as_ever() -> None:
    [deployment] = applications()["org--chat"].config["deployments"]
    assert "user_config" not in deployment
    assert not {"enable_lora", "max_loras", "max_cpu_loras"} & arguments().keys()
    assert not {"adapters", "lora_path"} & route().keys()


def test_replicas_are_told_where_adapters_come_from() -> None:
    assert settings() == {"adapters": {}, "max_num_adapters_per_replica": 16}
    given = {"dynamic_lora_loading_path": "/lora", "adapters": [FR, {"id": "v:1", "source": "org/l", "revision": "c"}]}
    assert settings(**given) == {
        "adapters": {"fr": {"source": "s3://lora/fr"}, "v:1": {"source": "org/l", "revision": "c"}},
        "max_num_adapters_per_replica": 16,
        "dynamic_lora_loading_path": "/lora",
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"enable_lora": True, "max_loras": 4, "max_cpu_loras": 32}),
        ({"max_loras": 40}, {"enable_lora": True, "max_loras": 40, "max_cpu_loras": 40}),
        ({"max_cpu_loras": 6, "max_lora_rank": 64}, {"max_loras": 4, "max_cpu_loras": 6, "max_lora_rank": 64}),
    ],
)
def test_the_engine_is_started_for_adapters(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = arguments(engine_kwargs=given, lora_config={})
    assert found == {**found, **expected}


def test_what_requests_for_an_adapter_get_is_what_the_model_gives_and_the_adapter_changes() -> None:
    generation = {"generate_kwargs": {"temperature": 1, "top_p": 0.5}, "stopping_sequences": ["END"]}
    own = {"generate_kwargs": {"temperature": 0}, "stopping_sequences": ["FIN", 7, [1, 2]]}
    adapters = [FR, {**FR, "id": "de", "aliases": ["b", "a"], "description": "German", "generation": own}]
    found = route(generation=generation, lora_config={"adapters": adapters, "dynamic_lora_loading_path": "/l"})
    assert found["lora_path"] == "/l"
    assert found["adapters"] == {
        "fr": {},
        "de": {
            "aliases": ["a", "b"],
            "description": "German",
            "defaults": {"temperature": 0, "top_p": 0.5},
            "stop": ["FIN"],
            "stop_token_ids": [7],
            "stop_token_sequences": [[1, 2]],
        },
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"adapters": [FR]}),
        ({"adapters": [FR]}, {}),
        ({"adapters": [FR]}, {"adapters": [{**FR, "source": "s3://lora/fr-2"}]}),
        ({}, {"dynamic_lora_loading_path": "s3://lora/all"}),
        ({"max_num_adapters_per_replica": 2}, {"max_num_adapters_per_replica": 4}),
    ],
)
def test_no_change_of_adapters_restarts_anything(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = applications(lora_config=before), applications(lora_config=after)
    assert diff(old["org--chat"], new["org--chat"]).impact is Impact.RECONFIGURE


def test_the_first_adapters_of_a_model_restart_it() -> None:
    old, new = applications(), applications(lora_config={})
    assert diff(old["org--chat"], new["org--chat"]).impact is Impact.ROLLING_RESTART
