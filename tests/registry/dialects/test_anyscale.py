import pytest

from reconciler.registry.dialects import anyscale, rayllm
from reconciler.registry.dialects.dialect import dialect_of
from reconciler.registry.dialects.translation import Fate
from tests.support.dialects import document, fates, rules, spec, translated

FILE = """
    deployment_config:
      autoscaling_config: {min_replicas: 1, max_replicas: 100, target_num_ongoing_requests_per_replica: 24}
      max_ongoing_requests: 64
      ray_actor_options: {resources: {"accelerator_type:A100-40G": 0.001}}
    engine_config:
      model_id: org/m
      type: VLLMEngine
      engine_kwargs:
        enable_cuda_graph: true
        num_tokenizer_actors: 2
        enable_json_logits_processors: true
        enable_lora: true
        max_lora_rank: 32
        max_loras: 24
        max_log_probs: 0
        tokenizer_pool_extra_config: {runtime_env: {pip: null}}
      runtime_env: {env_vars: {ANYSCALE_VLLM_X: "1", RECREATE_FAILED_ACTORS: "1", KEPT: "1"}}
      max_total_tokens: 32768
      generation:
        prompt_format:
          system: "{instruction} + "
          assistant: "{instruction}</s> "
          trailing_assistant: ""
          user: "[INST] {system}{instruction} [/INST]"
          system_in_user: true
          bos: "<s>"
          tools_list_in_user: false
    scaling_config:
      num_workers: 8
      num_gpus_per_worker: 1
      resources_per_worker: {"accelerator_type:A100-40G": 0.001}
    multiplex_config: {max_num_models_per_replica: 24}
    standalone_function_calling_model: true
    """


def test_a_file_is_read() -> None:
    assert dialect_of(document(FILE)).name == anyscale.NAME
    engine = spec(FILE).engine_config
    assert engine.engine_kwargs == {
        "enforce_eager": False,
        "enable_lora": True,
        "max_lora_rank": 32,
        "max_loras": 24,
        "max_logprobs": 0,
    }
    assert engine.lora_config is not None
    assert engine.lora_config.max_num_adapters_per_replica == 24
    assert engine.lora_config.dynamic_lora_loading_path is None
    assert engine.runtime_env.env_vars == {"KEPT": "1"}
    assert engine.generation.prompt_format is not None
    assert engine.generation.prompt_format.system_in_user


def test_what_only_anyscale_had_is_named_and_left_out() -> None:
    found = fates(translated(FILE))
    assert {key for key, fate in found.items() if fate is Fate.OBSOLETE} == {
        "engine_config.engine_kwargs.num_tokenizer_actors",
        "engine_config.engine_kwargs.enable_json_logits_processors",
        "engine_config.engine_kwargs.tokenizer_pool_extra_config",
        "engine_config.runtime_env.env_vars.ANYSCALE_VLLM_X",
        "engine_config.runtime_env.env_vars.RECREATE_FAILED_ACTORS",
        "engine_config.generation.prompt_format.bos",
        "standalone_function_calling_model",
    }
    assert found["engine_config.generation.prompt_format.tools_list_in_user"] is Fate.METADATA
    assert Fate.REFUSED not in found.values()


def test_a_part_of_the_prompt_that_cannot_be_rendered_is_refused() -> None:
    translation = translated(FILE.replace('bos: "<s>"', "system_in_last_user: true"))
    assert rules(translation) == ["prompt-format-part"]


def test_the_tokenizer_s_own_template_may_be_asked_for() -> None:
    text = FILE.replace('bos: "<s>"', "use_hugging_face_chat_template: true")
    assert spec(text).engine_config.generation.prompt_format is None
    assert fates(translated(text))["engine_config.generation.prompt_format"] is Fate.METADATA


@pytest.mark.parametrize(
    ("name", "dialect"),
    [("accelerator_type:NVIDIA_TESLA_A10G", anyscale.NAME), ("accelerator_type_a10", rayllm.NAME)],
)
def test_accelerators_tell_the_two_apart(name: str, dialect: str) -> None:
    text = (
        f"engine_config: {{model_id: a}}\nscaling_config: {{num_workers: 1, resources_per_worker: {{'{name}': 0.01}}}}"
    )
    assert dialect_of(document(text)).name == dialect
    assert spec(text).scaling_config.resources_per_worker == {"accelerator_type:A10G": 0.01}


def test_an_unknown_key_is_an_error_with_the_nearest_one() -> None:
    translation = translated(FILE.replace("max_ongoing_requests: 64", "max_ongoing_request: 64"))
    [problem] = [problem for problem in translation.diagnostics if problem.rule == "unknown-key"]
    assert (problem.position.line, problem.hint) == (4, "did you mean `max_ongoing_requests`?")
