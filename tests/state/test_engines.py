"""What each type of engine compiles to."""

from typing import Any

import pytest

from reconciler.registry.choices import EngineType, SaaSProvider
from reconciler.registry.registry import ModelEntry
from reconciler.registry.saas import SERVICES
from reconciler.state.compile import replica_bundles, route
from reconciler.state.engines.by_type import ENGINES
from tests.support.states import OWNER, desired, model, override_of

SERVICE = {"base_url": "https://api.example.com/v1", "model": "large"}


def config(entry: ModelEntry) -> dict[str, Any]:
    return dict(desired(entry).applications[1].application.config)


def saas(**keys: Any) -> ModelEntry:
    return model(engine={"type": "SaaSEngine", "saas": {**SERVICE, **keys}})


def llama_cpp(**keys: Any) -> ModelEntry:
    sections = {name: keys.pop(name) for name in ("scaling", "deployment") if name in keys}
    return model(engine={"type": "LlamaCppEngine", **keys}, **sections)


@pytest.mark.parametrize("kind", EngineType)
def test_every_type_has_its_code_and_the_same_names(kind: EngineType) -> None:
    entry = model(engine={"type": kind, **({"saas": SERVICE} if kind is EngineType.SAAS else {})})
    app, package = config(entry), ENGINES[kind].package
    assert app["import_path"] == f"runtime.{package}:build"
    assert app["runtime_env"]["py_modules"] == [f"gcs://{package}_0.zip"]
    assert app["args"]["owner"] == OWNER
    assert app["deployments"][0]["name"] == "LLMServer:org--chat"


@pytest.mark.parametrize("kind", EngineType)
def test_no_type_leaves_anything_but_args_resources_and_code_to_a_restart(kind: EngineType) -> None:
    entry = model(engine={"type": kind, **({"saas": SERVICE} if kind is EngineType.SAAS else {})})
    assert set(config(entry)) == {"name", "route_prefix", "import_path", "runtime_env", "args", "deployments"}
    assert "autoscaling_config" in config(entry)["deployments"][0]


def test_a_model_of_transformers_is_vllm_with_that_implementation() -> None:
    plain, other = config(model()), config(model(engine={"type": "TransformersEngine"}))
    kwargs = other["args"]["llm_config"].pop("engine_kwargs")
    assert kwargs == {**plain["args"]["llm_config"].pop("engine_kwargs"), "model_impl": "transformers"}
    assert other == plain


def test_a_service_is_all_in_the_settings_that_are_taken_over_in_place() -> None:
    entry = saas(api_key="${env:KEY}", timeout_s=9, budget={"requests_per_day": 5})
    app = config(entry)
    assert app["args"] == {
        "owner": OWNER,
        "model_id": "org/chat",
        "ray_actor_options": {"num_cpus": 0.01, "num_gpus": 0, "resources": {}},
    }
    assert override_of(app, "org/chat")["user_config"] == {
        "protocol": "openai",
        "base_url": "https://api.example.com/v1",
        "model": "large",
        "api_key": "${env:KEY}",
        "timeout_s": 9,
        "idle_timeout_s": 120,
        "retries": 2,
        "budget": {"requests_per_day": 5},
    }


def test_a_provider_brings_its_address_and_litellm_s_name_for_it() -> None:
    app = config(model(engine={"type": "SaaSEngine", "saas": {"provider": "deepseek", "model": "deepseek-chat"}}))
    assert override_of(app, "org/chat")["user_config"]["base_url"] == "https://api.deepseek.com/v1"
    prices = {"currency": "USD", "input_per_million": 3, "output_per_million": 15.5}
    options = {"aws_region_name": "eu-west-1"}
    service = {"provider": "anthropic", "model": "claude", "prices": prices, "options": options}
    found = override_of(config(model(engine={"type": "SaaSEngine", "saas": service})), "org/chat")["user_config"]
    assert (found["protocol"], found["model"]) == ("litellm", "anthropic/claude")
    assert (found["prices"], found["options"]) == (prices, options)
    assert "base_url" not in found


def test_every_provider_is_known_and_https() -> None:
    assert set(SERVICES) == set(SaaSProvider)
    assert all(each.base_url is None or each.base_url.startswith("https://") for each in SERVICES.values())


def test_a_service_may_answer_with_vectors() -> None:
    assert route(saas().spec)["kind"] == "generation"
    assert route(saas(kind="embedding").spec)["kind"] == "embedding"
    assert route(llama_cpp(engine_kwargs={"embedding": True}).spec)["kind"] == "embedding"


def test_a_service_without_its_section_compiles_to_nothing_that_asks() -> None:
    # Such a file is refused; a past one may be looked at all the same.
    entry = model(engine={"type": "SaaSEngine"})
    assert override_of(config(entry), "org/chat")["user_config"] == {}
    assert route(entry.spec)["kind"] == "generation"


def test_a_service_has_no_workers() -> None:
    entry = model(
        engine={"type": "SaaSEngine", "saas": SERVICE},
        scaling={"num_workers": 4},
        deployment={"ray_actor_options": {"num_cpus": 0.5, "resources": {"egress": 1}}},
    )
    assert replica_bundles(entry.spec).bundles == ({"CPU": 0.5, "egress": 1.0},)
    assert config(entry)["args"]["ray_actor_options"] == {"num_cpus": 0.5, "num_gpus": 0, "resources": {"egress": 1}}
    none = model(engine={"type": "SaaSEngine"}, deployment={"ray_actor_options": {"num_cpus": 0}})
    assert replica_bundles(none.spec).bundles == ({"CPU": 0.001},)


def test_llama_cpp_gets_a_file_and_its_parameters() -> None:
    assert config(llama_cpp(hf_model_id="/models/chat.gguf", engine_kwargs={"n_parallel": 2}))["args"] == {
        "owner": OWNER,
        "model_id": "org/chat",
        "ray_actor_options": {"num_cpus": 1, "num_gpus": 1, "resources": {}},
        "llama_cpp": {"source": "/models/chat.gguf", "params": {"n_parallel": 2}, "max_total_tokens": 2048},
    }


def test_llama_cpp_finds_its_file_in_a_bucket() -> None:
    entry = llama_cpp(s3_mirror_config={"bucket_uri": "s3://b/m"}, gguf_file="chat.gguf", full_context=True)
    assert config(entry)["args"]["llama_cpp"] == {"source": "s3://b/m", "file": "chat.gguf", "params": {}}


def test_llama_cpp_is_one_process_with_all_its_devices() -> None:
    entry = llama_cpp(
        scaling={"num_workers": 2, "num_cpus_per_worker": 4, "resources_per_worker": {"accelerator_type:L4": 0.001}},
        deployment={"ray_actor_options": {"num_cpus": 0.5}},
    )
    assert replica_bundles(entry.spec).bundles == ({"CPU": 8.5, "GPU": 2.0, "accelerator_type:L4": 0.002},)
    assert config(entry)["args"]["ray_actor_options"] == {
        "num_cpus": 8.5,
        "num_gpus": 2,
        "resources": {"accelerator_type:L4": 0.002},
    }


def test_llama_cpp_takes_a_prompt_format_as_its_template() -> None:
    parts = {"system": "{instruction}", "assistant": "A:{instruction}", "trailing_assistant": "A:"}
    entry = llama_cpp(generation={"prompt_format": {**parts, "user": "U:{instruction}"}})
    params = config(entry)["args"]["llama_cpp"]["params"]
    assert "U:" in params["chat_template"]
    assert params["prefill_assistant"] is False
