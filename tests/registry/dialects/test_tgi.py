from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.dialects.dialect import dialect_of
from reconciler.registry.dialects.tgi import NAME
from reconciler.registry.dialects.translation import Fate
from reconciler.registry.registry import ModelEntry
from tests.support.dialects import document, fates, rules, spec, translated

FILE = """
    enabled: true
    deployment_config:
      max_concurrent_queries: 64
      autoscaling_config: {min_replicas: 1, max_replicas: 2, target_num_ongoing_requests_per_replica: 24.0}
      ray_actor_options: {resources: {accelerator_type_a10: 0.01}}
    engine_config:
      model_id: org/m
      hf_model_id: org/m-hf
      model_description: A model.
      model_url: https://example.com/m
      type: TextGenerationInferenceEngine
      model_init_kwargs: {trust_remote_code: true, sharded: true, quantize: gptq}
      runtime_env: {env_vars: {A: "1"}}
      s3_mirror_config: {bucket_uri: "s3://bucket/m/"}
      scheduler:
        policy:
          type: QuotaBasedTaskSelectionPolicy
          max_batch_total_tokens: 14100
          max_batch_prefill_tokens: 6000
          max_input_length: 2040
          max_total_tokens: 4096
          max_iterations_curr_batch: 20
          waiting_served_ratio: 1.2
      generation:
        generate_kwargs: {do_sample: true, temperature: 0.7, top_k: 50, ignore_eos_token: true, typical_p: 0.9}
        prompt_format:
          system: "<<SYS>>{instruction}<</SYS>>"
          assistant: "{instruction}"
          trailing_assistant: ""
          user: "[INST]{instruction}[/INST]"
          default_system_message: "Be kind."
        stopping_sequences: ["<unk>"]
    scaling_config:
      num_workers: 1
      num_gpus_per_worker: 1
      num_cpus_per_worker: 8
      placement_strategy: STRICT_PACK
      resources_per_worker: {accelerator_type_a10: 0.01}
    """


def test_a_file_is_read() -> None:
    assert dialect_of(document(FILE)).name == NAME
    model = spec(FILE)
    assert model.model_dump(mode="json", exclude_unset=True) == {
        "enabled": True,
        "deployment_config": {
            "autoscaling_config": {"min_replicas": 1, "max_replicas": 2, "target_ongoing_requests": 24.0},
            "max_ongoing_requests": 64,
            "ray_actor_options": {"resources": {"accelerator_type:A10G": 0.01}},
        },
        "engine_config": {
            "type": "VLLMEngine",
            "model_id": "org/m",
            "hf_model_id": "org/m-hf",
            "model_description": "A model.",
            "model_url": "https://example.com/m",
            "max_total_tokens": 4096,
            "engine_kwargs": {
                "max_num_batched_tokens": 6000,
                "trust_remote_code": True,
                "quantization": "gptq",
            },
            "runtime_env": {"env_vars": {"A": "1"}},
            "s3_mirror_config": {"bucket_uri": "s3://bucket/m/"},
            "generation": {
                "generate_kwargs": {"temperature": 0.7, "top_k": 50, "ignore_eos": True},
                "stopping_sequences": ["<unk>"],
                "max_input_tokens": 2040,
                "prompt_format": {
                    "system": "<<SYS>>{instruction}<</SYS>>",
                    "assistant": "{instruction}",
                    "trailing_assistant": "",
                    "user": "[INST]{instruction}[/INST]",
                    "default_system_message": "Be kind.",
                    "add_system_tags_even_if_message_is_empty": True,
                    "strip_whitespace": False,
                },
            },
        },
        "scaling_config": {
            "num_workers": 1,
            "num_gpus_per_worker": 1.0,
            "num_cpus_per_worker": 8.0,
            "placement_strategy": "STRICT_PACK",
            "resources_per_worker": {"accelerator_type:A10G": 0.01},
        },
    }
    assert list(check_model(ModelEntry("org--m.yaml", model))) == []
    assert rules(translated(FILE)) == ["engine-replaced"]


def test_obsolete_keys_are_named_one_by_one() -> None:
    obsolete = [path for path, fate in fates(translated(FILE)).items() if fate is Fate.OBSOLETE]
    assert [path.split(".")[-1] for path in obsolete] == [
        "sharded",
        "type",
        "max_batch_total_tokens",
        "max_iterations_curr_batch",
        "waiting_served_ratio",
        "do_sample",
        "typical_p",
    ]


def test_what_aviary_wanted_and_nobody_needs_may_be_missing() -> None:
    text = FILE.replace("      type: TextGenerationInferenceEngine\n", "").replace("max_concurrent_queries: 64", "")
    model = spec(text)
    assert model.deployment_config.max_ongoing_requests == 10
    assert "implied-requests" in rules(translated(text))


def test_a_model_sampled_unless_told_otherwise() -> None:
    assert spec(FILE.replace("do_sample: true, ", "")).engine_config.generation.generate_kwargs["temperature"] == 0.7
    assert (
        spec(FILE.replace("do_sample: true, ", "do_sample: false, ")).engine_config.generation.generate_kwargs[
            "temperature"
        ]
        == 0
    )


def test_a_prompt_format_is_needed() -> None:
    assert "missing-key" in rules(translated("engine_config: {scheduler: {policy: {}}}"))


def test_a_key_that_nobody_knows_is_an_error() -> None:
    problems = translated(FILE.replace("waiting_served_ratio", "waiting_server_ratio")).diagnostics
    assert [problem.hint for problem in problems if problem.rule == "unknown-key"] == [
        "did you mean `waiting_served_ratio`?"
    ]
