import pytest

from reconciler.diagnostics import Severity
from reconciler.registry.dialects import canonical, rayllm
from reconciler.registry.dialects.dialect import dialect_of
from reconciler.registry.dialects.translation import Fate
from tests.support.dialects import document, fates, rules, spec, translated

FILE = """
    deployment_config:
      autoscaling_config:
        min_replicas: 1
        initial_replicas: 1
        max_replicas: 8
        target_num_ongoing_requests_per_replica: 24
        metrics_interval_s: 10.0
        look_back_period_s: 30.0
        smoothing_factor: 0.5
      max_concurrent_queries: 64
      ray_actor_options: {resources: {accelerator_type_a10: 0.01}}
    engine_config:
      model_id: org/m
      hf_model_id: org/m-hf
      tokenizer_id: org/t
      type: VLLMEngine
      model_type: text-generation
      engine_kwargs: {trust_remote_code: true, max_num_seqs: 64}
      max_total_tokens: 4096
      runtime_env: {env_vars: {A: "1"}, pip: [einops]}
      env_vars_to_propogate: [HUGGING_FACE_HUB_TOKEN, TEAM_TOKEN]
      s3_mirror_config: {bucket_uri: "s3://bucket/m", s3_sync_args: ["--no-sign-request"]}
      generation:
        generate_kwargs: {temperature: 0.5}
        prompt_format:
          system: "<<SYS>>{instruction}<</SYS>>"
          assistant: " {instruction} </s>"
          trailing_assistant: ""
          user: "[INST]{system}{instruction}[/INST]"
          system_in_user: true
        stopping_sequences: ["<unk>", 7]
    scaling_config:
      num_workers: 2
      num_cpus_per_worker: 8
      placement_strategy: STRICT_PACK
      resources_per_worker: {accelerator_type_a10: 0.01}
    """

EMBEDDING = """
    deployment_config:
      max_ongoing_requests: 64
      ray_actor_options: {num_cpus: 2}
    engine_config:
      model_id: org/e
      type: EmbeddingEngine
      optimize: onnx
      max_batch_size: 8
      batch_wait_timeout_s: 0.1
    scaling_config:
      num_workers: 0
      num_gpus_per_worker: 0
    """

TRTLLM = """
    deployment_config: {max_concurrent_queries: 64}
    engine_config:
      model_id: org/t
      type: TRTLLMEngine
      model_type: InflightFusedBatching
      scheduler_policy: MAX_UTILIZATION
      logger_level: INFO
      enable_trt_overlap: true
      max_tokens_in_paged_kv_cache: 1000
      max_num_sequences: 32
      kv_cache_free_gpu_mem_fraction: 0.9
      generation: {stopping_sequences: []}
    scaling_config: {num_workers: 2}
    """

SIGN = """
    deployment_config: {max_concurrent_queries: 5, autoscaling_config: {max_replicas: 1}}
    scaling_config: {num_workers: 1}
"""


def test_a_file_is_read() -> None:
    assert dialect_of(document(FILE)).name == rayllm.NAME
    model = spec(FILE)
    assert model.model_dump(mode="json", exclude_unset=True) == {
        "deployment_config": {
            "autoscaling_config": {
                "min_replicas": 1,
                "initial_replicas": 1,
                "max_replicas": 8,
                "target_ongoing_requests": 24,
                "look_back_period_s": 30.0,
                "upscaling_factor": 0.5,
                "downscaling_factor": 0.5,
            },
            "max_ongoing_requests": 64,
            "ray_actor_options": {"resources": {"accelerator_type:A10G": 0.01}},
        },
        "engine_config": {
            "type": "VLLMEngine",
            "model_id": "org/m",
            "hf_model_id": "org/m-hf",
            "tokenizer_id": "org/t",
            "max_total_tokens": 4096,
            "engine_kwargs": {"trust_remote_code": True, "max_num_seqs": 64},
            "runtime_env": {"env_vars": {"A": "1", "TEAM_TOKEN": "${env:TEAM_TOKEN}"}, "pip": ["einops"]},
            "s3_mirror_config": {"bucket_uri": "s3://anonymous@bucket/m"},
            "generation": {
                "stopping_sequences": ["<unk>", 7],
                "prompt_format": {
                    "system": "<<SYS>>{instruction}<</SYS>>",
                    "assistant": " {instruction} </s>",
                    "trailing_assistant": "",
                    "user": "[INST]{system}{instruction}[/INST]",
                    "system_in_user": True,
                },
            },
        },
        "scaling_config": {
            "num_workers": 2,
            "num_cpus_per_worker": 8.0,
            "placement_strategy": "STRICT_PACK",
            "resources_per_worker": {"accelerator_type:A10G": 0.01},
        },
    }


def test_defaults_that_never_took_effect_are_said_to_be_so() -> None:
    found = fates(translated(FILE))
    assert found["engine_config.generation.generate_kwargs.temperature"] is Fate.OBSOLETE
    assert found["engine_config.model_type"] is Fate.METADATA


def test_what_a_file_does_not_say_is_what_rayllm_did() -> None:
    model = spec("engine_config: {model_id: a}\nscaling_config: {num_workers: 1, pg_timeout_s: 600}")
    scaling = model.deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests) == (1, 10, 10)
    assert model.deployment_config.max_ongoing_requests == 20
    assert model.engine_config.max_total_tokens == 2048


@pytest.mark.parametrize("empty", ["null", "{}"])
def test_a_model_without_a_prompt_format_refuses_conversations(empty: str) -> None:
    model = spec(f"engine_config: {{model_id: a, generation: {{prompt_format: {empty}}}}}{SIGN}".replace("    ", ""))
    assert model.engine_config.generation.chat is False
    assert model.engine_config.generation.prompt_format is None
    assert "chat_template" not in model.engine_config.engine_kwargs


def test_an_embedding_model_is_held_by_its_replica() -> None:
    model = spec(EMBEDDING)
    assert model.engine_config.type == "EmbeddingEngine"
    assert model.engine_config.max_total_tokens == 512
    assert model.engine_config.engine_kwargs == {
        "max_num_seqs": 8,
        # RayLLM took the mean whatever the model's own files say, and vectors are stored.
        "pooler_config": {"pooling_type": "MEAN", "use_activation": True},
    }
    assert (model.scaling_config.num_workers, model.scaling_config.num_gpus_per_worker) == (1, 0)
    found = fates(translated(EMBEDDING))
    assert found["engine_config.optimize"] is Fate.OBSOLETE
    assert found["engine_config.batch_wait_timeout_s"] is Fate.OBSOLETE


@pytest.mark.parametrize(
    ("given", "pooler"),
    [
        ("pooler_config: {pooling_type: CLS}", {"pooling_type": "CLS"}),
        (
            "override_pooler_config: {pooling_type: LAST, normalize: false}",
            {"pooling_type": "LAST", "use_activation": False},
        ),
    ],
)
def test_an_embedding_model_may_say_how_it_pools(given: str, pooler: dict[str, object]) -> None:
    text = EMBEDDING.replace("optimize: onnx", f"engine_kwargs: {{{given}}}")
    assert spec(text).engine_config.engine_kwargs["pooler_config"] == pooler


def test_an_embedding_model_generates_nothing() -> None:
    text = EMBEDDING.replace("optimize: onnx", "generation: {stopping_sequences: [a]}")
    assert "embedding-generation" in rules(translated(text))


def test_a_compiled_model_is_run_from_its_weights() -> None:
    model = spec(TRTLLM)
    assert model.engine_config.type == "VLLMEngine"
    assert model.engine_config.engine_kwargs == {"max_num_seqs": 32, "gpu_memory_utilization": 0.9}
    translation = translated(TRTLLM)
    assert rules(translation) == ["implied-autoscaling", "engine-replaced", "engine-replaced"]
    assert {problem.severity for problem in translation.diagnostics} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('s3_mirror_config: {bucket_uri: "s3://engines/t"}', "engine_config.s3_mirror_config"),
        ("model_local_path: /engines/t", "engine_config.model_local_path"),
    ],
)
def test_a_compiled_engine_is_refused_where_it_is_named(line: str, key: str) -> None:
    translation = translated(TRTLLM.replace("logger_level: INFO", line))
    assert fates(translation)[key] is Fate.REFUSED
    [error] = [problem for problem in translation.diagnostics if problem.severity is Severity.ERROR]
    assert (error.rule, error.position.line) == ("compiled-engine", 8)


@pytest.mark.parametrize(
    "text",
    [
        "engine_config: {model_id: a}\nscaling_config: {num_workers: 1}",
        "engine_config: {model_id: a}\nscaling_config: {resources_per_worker: {'accelerator_type:l4': 1}}",
        "engine_config: {model_id: a, engine_kwargs: {max_num_seq: 1}}",
        "engine_config: {model_id: a, generation: {prompt_format: null}}",
        "engine_config: [a]\ndeployment_config: {max_concurrent_queries: 1}",
    ],
)
def test_a_file_without_anything_that_only_rayllm_had_is_canonical(text: str) -> None:
    assert dialect_of(document(text)).name == canonical.NAME


def test_what_a_registry_adds_may_stand_in_an_old_file() -> None:
    added = "clusters: [prod]\nrollout: {protect: true}\nwaive: [{rule: obsolete-key, reason: later}]\n"
    model = spec(added + "engine_config: {model_id: a, aliases: [b], max_total_tokens: 9}" + SIGN.replace("    ", ""))
    assert model.clusters == ["prod"]
    assert model.rollout.protect
    assert model.waive[0].rule == "obsolete-key"
    assert model.engine_config.aliases == ["b"]
