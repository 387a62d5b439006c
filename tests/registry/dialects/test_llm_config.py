from textwrap import dedent

import pytest

from reconciler.diagnostics import Severity
from reconciler.registry.dialects import llm_config
from reconciler.registry.dialects.dialect import canonical_document, dialect_of
from reconciler.registry.dialects.translation import Fate
from reconciler.registry.registry import ModelEntry
from reconciler.registry.spec import ModelSpec
from reconciler.state.capacity import Bundles
from reconciler.state.compile import replica_bundles
from reconciler.state.engines.vllm import llm_config as compiled
from tests.support.dialects import document, fates, rules, spec, translated

EARLY = """
    runtime_env: {env_vars: {HUGGING_FACE_HUB_TOKEN: "${env:HF}"}}
    model_loading_config: {model_id: org/m, model_source: org/m-hf}
    generation_config:
      prompt_format:
        system: "S{instruction}"
        assistant: "A{instruction}"
        trailing_assistant: A
        user: "U{instruction}"
        bos: "<s>"
      stopping_sequences: [END]
      stopping_tokens: [128001, 128009]
    input_modality: text
    llm_engine: VLLMEngine
    engine_kwargs: {tokenizer_pool_size: 2, max_num_seqs: 64}
    accelerator_type: A100_40G
    tensor_parallelism: {degree: 2}
    deployment_config:
      autoscaling_config: {target_ongoing_requests: 32}
      max_ongoing_requests: 64
    json_mode: {enabled: true}
    lora_config: null
    """


def model(text: str) -> ModelSpec:
    """The model of an `LLMConfig` with these lines beside its id."""
    return spec("model_loading_config: {model_id: org/m}\n" + text)


def bundles(text: str) -> list[dict[str, float]]:
    return [dict(bundle) for bundle in replica_bundles(model(text)).bundles]


def refused(text: str) -> list[tuple[str, int]]:
    translation = translated("model_loading_config: {model_id: org/m}\n" + text)
    return [
        (problem.rule, problem.position.line)
        for problem in translation.diagnostics
        if problem.severity is Severity.ERROR
    ]


def test_a_file_of_2024_is_read() -> None:
    assert dialect_of(document(EARLY)).name == llm_config.NAME
    found = spec(EARLY)
    engine = found.engine_config
    assert (engine.model_id, engine.hf_model_id, engine.max_total_tokens) == ("org/m", "org/m-hf", 2048)
    assert engine.generation.stopping_sequences == ["END", 128001, 128009]
    assert engine.generation.prompt_format is not None
    assert engine.engine_kwargs == {"max_num_seqs": 64}
    assert engine.runtime_env.env_vars == {"HUGGING_FACE_HUB_TOKEN": "${env:HF}"}
    assert found.scaling_config.num_workers == 2
    assert found.deployment_config.max_ongoing_requests == 64
    scaling = found.deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests) == (1, 1, 32)
    assert replica_bundles(found) == Bundles(
        (
            {"CPU": 1.0, "GPU": 1.0, "accelerator_type:A100-40G": 0.001},
            {"GPU": 1.0, "accelerator_type:A100-40G": 0.001},
        )
    )


def test_what_means_nothing_today_is_named() -> None:
    found = fates(translated(EARLY))
    assert {key for key, fate in found.items() if fate is Fate.OBSOLETE} == {
        "generation_config.prompt_format.bos",
        "engine_kwargs.tokenizer_pool_size",
        "input_modality",
        "json_mode.enabled",
    }
    assert found["lora_config"] is Fate.METADATA


def test_a_file_of_today_means_what_the_builder_makes_of_it() -> None:
    found = model("")
    assert found.engine_config.full_context
    assert "max_model_len" not in compiled(found, replica_bundles(found))["llm_config"]["engine_kwargs"]
    assert found.deployment_config.max_ongoing_requests == 1_000_000_000
    assert found.deployment_config.autoscaling_config.target_ongoing_requests == 1_000_000_000


def test_arguments_with_a_key_of_their_own() -> None:
    found = model(
        "llm_engine: vLLM\n"
        "engine_kwargs: {max_model_len: 4096, tensor_parallel_size: 2, pipeline_parallel_size: 2, tokenizer: org/t,\n"
        "  distributed_executor_backend: ray, data_parallel_size: 1, runner: generate}"
    )
    assert found.engine_config.max_total_tokens == 4096
    assert found.engine_config.tokenizer_id == "org/t"
    assert found.engine_config.engine_kwargs == {"pipeline_parallel_size": 2}
    assert found.scaling_config.num_workers == 4


@pytest.mark.parametrize("argument", ["runner: pooling", "task: embed"])
def test_an_embedding_model_has_its_own_type(argument: str) -> None:
    assert model(f"engine_kwargs: {{{argument}}}").engine_config.type == "EmbeddingEngine"


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("org/m-hf", "hf_model_id", "org/m-hf"),
        ("/models/m", "hf_model_id", "/models/m"),
        ("s3://bucket/m", "s3_mirror_config", "s3://bucket/m"),
        ("{bucket_uri: 'gs://bucket/m'}", "gcs_mirror_config", "gs://bucket/m"),
    ],
)
def test_where_the_weights_come_from(source: str, key: str, value: str) -> None:
    found = getattr(spec(f"model_loading_config: {{model_id: m, model_source: {source}}}").engine_config, key)
    assert getattr(found, "bucket_uri", found) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [{"CPU": 1, "GPU": 1}]),
        (
            "accelerator_type: A10G\nengine_kwargs: {tensor_parallel_size: 2}",
            [{"CPU": 1, "GPU": 1, "accelerator_type:A10G": 0.001}, {"GPU": 1, "accelerator_type:A10G": 0.001}],
        ),
        (
            "accelerator_type: A10G\nengine_kwargs: {tensor_parallel_size: 2}\n"
            "placement_group_config: {bundle_per_worker: {CPU: 8, GPU: 1}}",
            [
                {"CPU": 9, "GPU": 1, "accelerator_type:A10G": 0.001},
                {"CPU": 8, "GPU": 1, "accelerator_type:A10G": 0.001},
            ],
        ),
        ("accelerator_config: {kind: cpu}", [{"CPU": 2}]),
        ("placement_group_config: {bundle_per_worker: {CPU: 0}}", [{"CPU": 1}]),
        (
            "accelerator_config: {kind: cpu}\n"
            "deployment_config: {ray_actor_options: {num_cpus: 0.5, resources: {fast: 0.01}}}",
            [{"CPU": 1.5, "fast": 0.01}],
        ),
        (
            "engine_kwargs: {tensor_parallel_size: 2}\ndeployment_config: {ray_actor_options: {num_cpus: 0}}\n"
            "placement_group_config: {bundles: [{CPU: 1}, {CPU: 8, GPU: 1}, {CPU: 8, GPU: 1}], strategy: STRICT_PACK}",
            [{"CPU": 1}, {"CPU": 8, "GPU": 1}, {"CPU": 8, "GPU": 1}],
        ),
    ],
)
def test_a_replica_s_bundles_are_those_that_ray_would_make(text: str, expected: list[dict[str, float]]) -> None:
    assert bundles(text) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [("3", (3, 3, 1_000_000_000)), ("auto", (1, 100, 2))], ids=["a number", "auto"]
)
def test_a_number_of_replicas_becomes_bounds(count: str, expected: tuple[int, int, int]) -> None:
    scaling = model(f"deployment_config: {{num_replicas: {count}}}").deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests) == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("server_cls: mine:Server", "not-carried"),
        ("llm_engine: SGLang", "not-a-choice"),
        ("accelerator_config: {kind: tpu}", "not-a-choice"),
        ("engine_kwargs: {data_parallel_size: 2}", "data-parallel"),
        ("deployment_config: {num_replicas: 1, autoscaling_config: {max_replicas: 2}}", "given-twice"),
        ("accelerator_type: L4\naccelerator_config: {kind: cpu}", "accelerator-on-cpu"),
        ("tensor_parallelism: {degree: 2}\nengine_kwargs: {tensor_parallel_size: 2}", "given-twice"),
        ("generation: {}\ngeneration_config: {stopping_sequences: [a]}", "given-twice"),
        ("placement_group_config: {bundle_per_worker: {GPU: many}}", "wrong-type"),
        ("deployment_config: {ray_actor_options: {num_cpus: many}}", "wrong-type"),
        ("engine_kwargs: {runner: draft}", "unsupported-task"),
    ],
)
def test_what_cannot_be_carried_is_refused_where_it_stands(text: str, rule: str) -> None:
    [(found, line)] = refused(text)
    assert found == rule
    assert line >= 2


def test_adapters_are_carried() -> None:
    text = """
    engine_kwargs: {enable_lora: true}
    lora_config:
      dynamic_lora_loading_path: s3://b/l
      max_num_adapters_per_replica: 2
      download_timeout_s: 30
      max_download_tries: 3
    """
    lora = model(dedent(text)).engine_config.lora_config
    assert lora is not None
    assert (lora.dynamic_lora_loading_path, lora.max_num_adapters_per_replica, lora.adapters) == ("s3://b/l", 2, [])


def test_a_file_without_an_id_is_told_so_by_the_name_it_has_there() -> None:
    translation = translated("model_loading_config: {model_source: org/m}")
    assert "missing-key" in rules(translation)


def test_a_store_that_no_mirror_can_be_of() -> None:
    translation = translated("model_loading_config: {model_id: m, model_source: 'azure://b/m'}")
    assert "mirror-scheme" in rules(translation)


def test_positions_lead_to_the_lines_that_were_written() -> None:
    found = document(EARLY)
    positions = canonical_document(found, dialect_of(found).translate(found)).positions
    entry = ModelEntry("model.yaml", spec(EARLY), positions)
    assert entry.position(("engine_config", "generation", "prompt_format", "user")).line == 9
    assert entry.position(("scaling_config", "bundles")).line == 16
    assert entry.position(("scaling_config", "num_workers")).line == 17
