from typing import Any

import pytest

from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.dialects.translation import Fate
from reconciler.registry.registry import ModelEntry
from tests.support.dialects import fates, rules, spec, translated

STATIC = """
    deployment_config:
      autoscaling_config: {{min_replicas: 1, max_replicas: 8, target_num_ongoing_requests_per_replica: 1.0}}
    model_config:
      model_id: org/m
      max_input_words: 800
      initialization:
        s3_mirror_config: {{bucket_uri: "s3://bucket/m/", s3_sync_args: ["--no-sign-request"]}}
        runtime_env: {{pip: [deepspeed==0.9.2]}}
        hf_model_id: org/m-hf
        initializer: {{{initializer}}}
        pipeline: default
      generation:
        max_batch_size: 18
        batch_wait_timeout_s: 1
        generate_kwargs: {{do_sample: true, max_new_tokens: 512, min_new_tokens: 16, num_beams: 1}}
        prompt_format: "Q: {{instruction}}\\nA: "
        stopping_sequences: ["### End", 50278]
    scaling_config: {{num_workers: 2, num_cpus_per_worker: 4}}
    """
CONTINUOUS = """
    deployment_config: {{max_concurrent_queries: 64}}
    model_config:
      model_id: org/m
      batching: continuous
      initialization:
        initializer: {{type: TextGenerationInference, model_init_kwargs: {{trust_remote_code: true, quantize: gptq}}}}
        pipeline: TextGenerationInference
      generation:
        {limits}
        prompt_format:
          {{system: "{{instruction}}", assistant: "{{instruction}}", trailing_assistant: "", user: "{{instruction}}"}}
    scaling_config: {{num_workers: 1, placement_strategy: STRICT_PACK}}
    """


def static(initializer: str = "type: SingleDevice, dtype: bfloat16") -> str:
    return STATIC.format(initializer=initializer)


def continuous(limits: str) -> str:
    return CONTINUOUS.format(limits=limits)


def engine(text: str) -> dict[str, Any]:
    return spec(text).model_dump(mode="json", exclude_unset=True)["engine_config"]


def test_a_model_with_static_batching_is_read() -> None:
    model = spec(static())
    assert model.model_dump(mode="json", exclude_unset=True) == {
        "deployment_config": {
            "autoscaling_config": {"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": 1.0},
            "max_ongoing_requests": 18,
        },
        "engine_config": {
            "type": "VLLMEngine",
            "model_id": "org/m",
            "hf_model_id": "org/m-hf",
            "max_total_tokens": 2048,
            "engine_kwargs": {"dtype": "bfloat16", "max_num_seqs": 18},
            "s3_mirror_config": {"bucket_uri": "s3://anonymous@bucket/m/"},
            "generation": {
                "generate_kwargs": {"max_tokens": 512, "min_tokens": 16},
                "stopping_sequences": ["### End", 50278],
                "prompt_format": {
                    "system": "",
                    "assistant": "",
                    "trailing_assistant": "",
                    "user": "Q: {instruction}\nA: ",
                    "single_turn": True,
                    "strip_whitespace": False,
                },
            },
        },
        "scaling_config": {"num_workers": 2, "num_cpus_per_worker": 4},
    }
    entry = ModelEntry("org--m.yaml", model)
    assert list(check_model(entry)) == []


def test_obsolete_keys_are_named_one_by_one() -> None:
    initializer = "type: DeepSpeed, use_kernel: true, torch_compile: {backend: inductor}, max_tokens: 1536"
    translation = translated(static(initializer))
    obsolete = [
        path.removeprefix("model_config.") for path, fate in fates(translation).items() if fate is Fate.OBSOLETE
    ]
    assert obsolete == [
        "max_input_words",
        "initialization.runtime_env.pip",
        "initialization.initializer.use_kernel",
        "initialization.initializer.torch_compile",
        "initialization.pipeline",
        "generation.batch_wait_timeout_s",
        "generation.generate_kwargs.do_sample",
        "generation.generate_kwargs.num_beams",
    ]
    assert rules(translation) == ["engine-replaced"]


@pytest.mark.parametrize(
    ("initializer", "arguments", "tokens"),
    [
        ("type: SingleDevice", {"dtype": "float16"}, 2048),
        ("type: DeviceMap, device_map: auto, dtype: float32", {"dtype": "float32"}, 2048),
        ("type: DeepSpeed", {"dtype": "float16"}, 1024),
        ("type: DeepSpeed, max_tokens: 1536", {"dtype": "float16"}, 1536),
        (
            "type: SingleDevice, dtype: float16, from_pretrained_kwargs: {torch_dtype: torch.bfloat16, a: 1}",
            {"dtype": "bfloat16"},
            2048,
        ),
        (
            "type: SingleDevice, from_pretrained_kwargs: {trust_remote_code: true, revision: main, load_in_8bit: true}",
            {"trust_remote_code": True, "revision": "main", "dtype": "float16"},
            2048,
        ),
    ],
)
def test_an_initializer_becomes_engine_arguments(initializer: str, arguments: dict[str, Any], tokens: int) -> None:
    found = engine(static(initializer))
    assert found["engine_kwargs"] == {**arguments, "max_num_seqs": 18}
    assert found["max_total_tokens"] == tokens


@pytest.mark.parametrize(
    ("initializer", "rule"),
    [
        ("type: LlamaCpp, model_filename: m.bin, model_init_kwargs: {n_ctx: 2048}", "unsupported-engine"),
        ("type: SingelDevice", "not-a-choice"),
        ("type: [SingleDevice]", "not-a-choice"),
        ("type: Vllm", "not-a-choice"),
        ("type: SingleDevice, dtype: int8", "engine-argument-values"),
        ("type: SingleDevice, dtpye: float16", "unknown-key"),
    ],
)
def test_what_vllm_cannot_run_is_an_error(initializer: str, rule: str) -> None:
    assert rule in rules(translated(static(initializer)))


def test_the_requests_of_a_batch_give_way_to_those_of_the_deployment() -> None:
    text = static().replace("deployment_config:", "deployment_config:\n      max_concurrent_queries: 40")
    model = spec(text)
    assert model.deployment_config.max_ongoing_requests == 40
    assert model.engine_config.engine_kwargs["max_num_seqs"] == 18


def test_a_file_that_says_little_gets_what_aviary_implied() -> None:
    model = spec(
        """
        model_config: {model_id: org/m, initialization: {initializer: {type: SingleDevice}}}
        scaling_config: {num_workers: 1}
        """
    )
    scaling = model.deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.initial_replicas, scaling.max_replicas) == (1, 2, 8)
    assert model.deployment_config.max_ongoing_requests == 1
    generation = model.engine_config.generation
    assert generation.generate_kwargs == {"max_tokens": 256, "top_p": 0.92, "top_k": 0}
    assert generation.prompt_format is not None
    assert generation.prompt_format.user == "{instruction}"
    assert model.engine_config.engine_kwargs == {"dtype": "float16", "max_num_seqs": 1}


def test_transformers_did_not_sample_unless_told_to() -> None:
    text = static().replace("do_sample: true, ", "temperature: 0.7, ")
    assert spec(text).engine_config.generation.generate_kwargs["temperature"] == 0


def test_a_model_with_continuous_batching_is_read() -> None:
    found = engine(continuous("max_batch_total_tokens: 40000\n        max_batch_prefill_tokens: 9216"))
    assert found["max_total_tokens"] == 2048
    assert found["engine_kwargs"] == {
        "trust_remote_code": True,
        "quantization": "gptq",
        "max_num_batched_tokens": 9216,
    }
    prompt_format = found["generation"]["prompt_format"]
    assert prompt_format["add_system_tags_even_if_message_is_empty"] is True
    assert prompt_format["strip_whitespace"] is False


def test_few_tokens_at_a_step_are_for_few_sequences() -> None:
    found = engine(continuous("max_batch_prefill_tokens: 256\n        max_input_length: 128"))
    assert found["engine_kwargs"]["max_num_seqs"] == 256


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            "max_batch_prefill_tokens: 256",
            "`max_input_length` is 1024, more than `max_batch_prefill_tokens`, 256",
        ),
        (
            "max_batch_total_tokens: 4000",
            "`max_batch_prefill_tokens` is 4096, more than `max_batch_total_tokens`, 4000",
        ),
        (
            "{max_batch_total_tokens: 5000, max_total_tokens: 6000}",
            "`max_total_tokens` is 6000, more than `max_batch_total_tokens`, 5000",
        ),
    ],
)
def test_limits_that_contradict_each_other_are_errors(limits: str, message: str) -> None:
    text = continuous("\n        ".join(limits.strip("{}").split(", ")))
    assert [problem.message for problem in translated(text).diagnostics if problem.rule == "token-limits"] == [message]


def test_continuous_batching_wants_its_requests_written() -> None:
    text = continuous("max_total_tokens: 2048").replace("max_concurrent_queries: 64", "max_concurrent_queries: null")
    assert spec(text).deployment_config.max_ongoing_requests == 10
    assert "implied-requests" in rules(translated(text))


def test_an_unknown_kind_of_batching_is_an_error() -> None:
    text = continuous("max_total_tokens: 2048").replace("batching: continuous", "batching: dynamic")
    assert "not-a-choice" in rules(translated(text))


def test_the_keys_of_the_registry_stand_beside_it() -> None:
    assert spec(static() + "clusters: [east]\n").clusters == ["east"]
