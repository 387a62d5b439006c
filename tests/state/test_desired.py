from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.cluster import Cluster, GatewayLimits
from reconciler.registry.registry import ClusterEntry, ModelEntry
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.compile import replica_bundles, route
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.json_value import canonical_bytes
from reconciler.state.runtime_packages import RuntimePackages
from runtime.gateway.limits import Limits
from tests.support.states import CLUSTER, OWNER, PACKAGES, desired, model, override_of, registry
from tests.support.strategies import registries


def config(entry: ModelEntry, **options: Any) -> dict[str, Any]:
    return dict(desired(entry, **options).applications[1].application.config)


def llm(entry: ModelEntry) -> dict[str, Any]:
    return dict(config(entry)["args"]["llm_config"])


def routes(state: DesiredState) -> dict[str, Any]:
    return dict(state.applications[0].application.deployments["Gateway"]["user_config"]["models"])


def test_a_model_is_one_application_of_ours_without_a_route() -> None:
    app = config(model("org/chat-1.5b"))
    assert app["name"] == "org--chat-1_5b"
    assert app["route_prefix"] is None
    assert app["import_path"] == "runtime.engine:build"
    assert Application(app).owner == OWNER
    assert app["runtime_env"] == {"py_modules": ["gcs://engine_0.zip"]}


def test_what_scales_is_in_the_override_and_nowhere_in_args() -> None:
    few, many = (
        config(model(deployment={"autoscaling_config": {"max_replicas": count}, "max_ongoing_requests": count}))
        for count in (1, 7)
    )
    assert few["args"] == many["args"]
    override = override_of(many, "org/chat")
    assert override["autoscaling_config"] == {"min_replicas": 1, "max_replicas": 7, "target_ongoing_requests": 2}
    assert override["max_ongoing_requests"] == 7
    assert "ray_actor_options" not in override


def test_the_autoscaling_block_is_there_for_a_fixed_size_too() -> None:
    assert override_of(config(model()), "org/chat")["autoscaling_config"]["max_replicas"] == 1


def test_the_gateway_comes_first_and_models_are_sorted_by_name() -> None:
    state = desired(model("b/b"), model("a/a"))
    assert [entry.name for entry in state.applications] == ["gateway", "a--a", "b--b"]
    assert state.application("b--b") is state.applications[2]
    assert state.application("c") is None


def test_the_gateway_routes_each_model_to_its_deployment() -> None:
    entry = model(
        engine={
            "aliases": ["z", "a"],
            "model_description": "Small",
            "model_url": "https://example.com",
            "generation": {
                "generate_kwargs": {"temperature": 1.0},
                "stopping_sequences": ["END", 2, [3, 4], [5, "x"]],
                "max_input_tokens": 100,
                "max_output_tokens": 50,
                "chat": False,
            },
        },
        rollout={"protect": True},
        traffic={"canary": {"model": "org/next", "percent": 5.0}, "fallback": "org/small"},
    )
    assert routes(desired(entry)) == {
        "org/chat": {
            "application": "org--chat",
            "deployment": "LLMServer:org--chat",
            "kind": "generation",
            "aliases": ["a", "z"],
            "defaults": {"temperature": 1},
            "stop": ["END"],
            "stop_token_ids": [2],
            "stop_token_sequences": [[3, 4], [5, "x"]],
            "max_input_tokens": 100,
            "max_output_tokens": 50,
            "chat": False,
            "canary": {"model": "org/next", "percent": 5},
            "fallback": "org/small",
            "package": PACKAGES.engine,
            "description": "Small",
            "url": "https://example.com",
            "protect": True,
        }
    }


def test_a_plain_route_says_only_where() -> None:
    assert set(route(model().spec)) == {"application", "deployment", "kind"}


def test_an_empty_registry_still_wants_the_gateway() -> None:
    assert routes(desired()) == {}


def test_the_gateway_is_as_large_as_the_cluster_says() -> None:
    cluster = Cluster.model_validate({"owner": OWNER, "local": True, "gateway": {"replicas": 3, "num_cpus": 0}})
    gateway = desired(cluster=ClusterEntry("small", "small.yaml", cluster)).applications[0]
    assert gateway.bundles == Bundles(())
    assert (gateway.min_replicas, gateway.max_replicas) == (3, 3)
    assert gateway.application.deployments["Gateway"]["autoscaling_config"]["max_replicas"] == 3
    assert gateway.application.config["args"] == {"owner": OWNER, "num_cpus": 0}


def gateway_settings(**settings: Any) -> dict[str, Any]:
    """The gateway's `user_config` with these settings in the cluster file, without its table."""
    token = {"token": {"env": "KEY"}}
    cluster = Cluster.model_validate({"owner": OWNER, "local": True, "gateway": {**token, **settings}})
    gateway = desired(model(), cluster=ClusterEntry("local", "local.yaml", cluster)).applications[0].application
    settings = dict(gateway.deployments["Gateway"]["user_config"])
    assert settings.pop("models")
    return settings


def test_a_gateway_that_does_as_ever_is_told_nothing() -> None:
    assert gateway_settings() == {}
    assert gateway_settings(limits={"start_s": 300, "body_mib": 64}, keys=[]) == {}


def test_the_keys_and_limits_of_the_gateway_are_taken_in_place() -> None:
    keys = [{"name": "b", "sha256": "b" * 64, "models": ["org/*"]}, {"name": "a", "sha256": "a" * 64}]
    assert gateway_settings(keys=keys, limits={"body_mib": 2, "answer_s": 30}) == {
        "keys": {"a": {"sha256": "a" * 64, "models": ["*"]}, "b": {"sha256": "b" * 64, "models": ["org/*"]}},
        "limits": {"body_bytes": 2 * 2**20, "answer_s": 30},
    }


def test_both_sides_have_the_same_limits() -> None:
    limits = GatewayLimits().model_dump()
    limits["body_bytes"] = limits.pop("body_mib") * 2**20
    assert asdict(Limits()) == limits


def test_without_packages_the_image_has_the_code() -> None:
    state = desired(model(), packages=RuntimePackages(None, None))
    assert [entry.application.config["runtime_env"] for entry in state.applications] == [{}, {}]


def test_a_node_variable_is_written_as_ray_expands_it() -> None:
    env = {"env_vars": {"HF_TOKEN": "${env:HF_TOKEN}", "MIX": "a-${env:B}"}, "pip": ["einops"]}
    assert config(model(engine={"runtime_env": env}))["runtime_env"] == {
        "py_modules": ["gcs://engine_0.zip"],
        "env_vars": {"HF_TOKEN": "${HF_TOKEN}", "MIX": "a-${B}"},
        "pip": ["einops"],
    }


def test_the_weights_come_from_the_hub_a_path_or_a_bucket() -> None:
    assert llm(model())["model_loading_config"] == {"model_id": "org/chat", "model_source": "org/chat"}
    named = llm(model(engine={"hf_model_id": "/models/chat", "tokenizer_id": "org/tokenizer"}))
    assert named["model_loading_config"]["model_source"] == "/models/chat"
    assert named["engine_kwargs"]["tokenizer"] == "org/tokenizer"
    for kind in ("s3_mirror_config", "gcs_mirror_config"):
        mirror = {"bucket_uri": "s3://b/m", "extra_files": [{"bucket_uri": "s3://b/x", "destination_path": "/x"}]}
        assert llm(model(engine={kind: mirror}))["model_loading_config"]["model_source"] == mirror
    assert llm(model(engine={"s3_mirror_config": {"bucket_uri": "s3://b/m"}}))["model_loading_config"][
        "model_source"
    ] == {"bucket_uri": "s3://b/m"}


def test_the_context_has_a_default_by_kind_of_engine() -> None:
    assert llm(model())["engine_kwargs"] == {"max_model_len": 2048, "tensor_parallel_size": 1}
    embedding = llm(model(engine={"type": "EmbeddingEngine"}))["engine_kwargs"]
    assert (embedding["max_model_len"], embedding["runner"]) == (512, "pooling")
    assert llm(model(engine={"max_total_tokens": 9}))["engine_kwargs"]["max_model_len"] == 9


def test_the_model_s_own_context_is_left_to_the_engine() -> None:
    assert "max_model_len" not in llm(model(engine={"full_context": True}))["engine_kwargs"]


def test_bundles_that_are_written_out_are_the_placement_group() -> None:
    bundles = [{"CPU": 9, "GPU": 1}, {"GPU": 1}]
    config = llm(model(scaling={"num_workers": 2, "bundles": bundles, "placement_strategy": "SPREAD"}))
    assert config["placement_group_config"] == {"bundles": bundles, "strategy": "SPREAD"}
    assert config["engine_kwargs"]["tensor_parallel_size"] == 2


def test_an_embedding_model_is_routed_as_one() -> None:
    assert route(model(engine={"type": "EmbeddingEngine"}).spec)["kind"] == "embedding"


def test_workers_are_tensor_parallel_within_pipeline_stages() -> None:
    kwargs = llm(model(engine={"engine_kwargs": {"pipeline_parallel_size": 2}}, scaling={"num_workers": 8}))
    assert kwargs["engine_kwargs"]["tensor_parallel_size"] == 4


def test_a_prompt_format_becomes_the_engine_s_chat_template() -> None:
    prompt = {
        "system": "{instruction}",
        "assistant": "A:{instruction}",
        "trailing_assistant": "A:",
        "user": "U:{instruction}",
    }
    kwargs = llm(model(engine={"generation": {"prompt_format": prompt}}))["engine_kwargs"]
    assert "U:" in kwargs["chat_template"]


@pytest.mark.parametrize(
    ("scaling", "actor", "expected"),
    [
        ({}, {}, ({"CPU": 1.0}, {"CPU": 1.0, "GPU": 1.0})),
        ({"num_workers": 2, "num_cpus_per_worker": 0}, {"num_cpus": 0}, ({"GPU": 1.0}, {"GPU": 1.0})),
        (
            {"num_gpus_per_worker": 0, "num_workers": 2, "num_cpus_per_worker": 0.5},
            {"num_cpus": 1, "resources": {"fast": 1}},
            ({"CPU": 2.0, "fast": 1.0},),
        ),
        ({"num_gpus_per_worker": 0, "num_cpus_per_worker": 0}, {"num_cpus": 0}, ({"CPU": 0.001},)),
        (
            {"resources_per_worker": {"accelerator_type:L4": 0.001}},
            {"num_gpus": 0.5},
            ({"CPU": 1.0, "GPU": 0.5}, {"CPU": 1.0, "GPU": 1.0, "accelerator_type:L4": 0.001}),
        ),
    ],
)
def test_the_bundles_of_a_replica(scaling: dict[str, Any], actor: dict[str, Any], expected: Any) -> None:
    entry = model(scaling=scaling, deployment={"ray_actor_options": actor})
    assert replica_bundles(entry.spec).bundles == expected
    assert llm(entry)["placement_group_config"] == {"bundles": list(expected), "strategy": "PACK"}


def test_a_disabled_model_and_one_for_another_cluster_are_not_wanted() -> None:
    assert len(desired(model(enabled=False), model("a/b", clusters=["other"])).applications) == 1
    assert len(desired(model(clusters=[CLUSTER.name])).applications) == 2


@given(registries(), st.randoms())
def test_the_order_of_files_does_not_matter(models: tuple[ModelEntry, ...], random: Any) -> None:
    shuffled = list(models)
    random.shuffle(shuffled)
    first, second = (
        canonical_bytes([dict(entry.application.config) for entry in desired(*order).applications])
        for order in (models, shuffled)
    )
    assert first == second


def test_what_is_in_memory_is_not_compiled_again() -> None:
    class Memory(dict[tuple[str, str], Any]):
        def get(self, name: str, digest: str) -> Any:  # type: ignore[override]
            return super().get((name, digest))

        def put(self, name: str, digest: str, result: Any) -> None:
            self[name, digest] = result

    memory = Memory()
    entries = registry(model("org/a"), model("org/b"))
    first = desired_state(entries, CLUSTER, PACKAGES, memory)
    made = dict(memory)
    assert {name for name, _ in made} == {"org/a", "org/b", "gateway"}
    second = desired_state(entries, CLUSTER, PACKAGES, memory)
    assert memory == made
    assert all(memory[key] is made[key] for key in made)
    assert [entry.application for entry in second.applications] == [entry.application for entry in first.applications]
    assert desired_state(entries, CLUSTER, PACKAGES).applications[1].bundles == second.applications[1].bundles
