import pytest

from reconciler.registry.dialects.dialect import dialect_of
from reconciler.registry.dialects.opencsg import NAME
from reconciler.registry.dialects.translation import Fate
from tests.support.dialects import document, fates, rules, spec, translated

FILE = """
    deployment_config:
      autoscaling_config: {min_replicas: 0, max_replicas: 8, target_ongoing_requests: 1.0}
      ray_actor_options: {num_cpus: 0.1}
    model_conf:
      warmup: true
      model_task: text-generation
      model_id: org/m
      max_input_words: 128
      initialization:
        initializer: {type: Vllm, from_pretrained_kwargs: {trust_remote_code: true}}
        pipeline: vllm
      generation:
        max_batch_size: 2
        generate_kwargs: {max_new_tokens: 128, temperature: 0.7}
        prompt_format: "Q: {instruction}"
    scaling_config: {num_workers: 1, num_cpus_per_worker: 0}
    """


def with_format(prompt_format: str) -> str:
    return FILE.replace('"Q: {instruction}"', prompt_format)


def test_a_file_is_read() -> None:
    assert dialect_of(document(FILE)).name == NAME
    model = spec(FILE)
    assert model.engine_config.engine_kwargs == {"trust_remote_code": True, "max_num_seqs": 2}
    assert model.deployment_config.max_ongoing_requests == 2
    assert model.deployment_config.autoscaling_config.min_replicas == 0
    assert model.engine_config.generation.generate_kwargs == {"max_tokens": 128, "temperature": 0.7}
    assert rules(translated(FILE)) == []
    assert fates(translated(FILE))["model_conf.warmup"] is Fate.OBSOLETE
    assert fates(translated(FILE))["model_conf.model_task"] is Fate.METADATA


@pytest.mark.parametrize("task", ["translation", "summarization", "[]"])
def test_a_model_that_does_something_else_is_an_error(task: str) -> None:
    assert "unsupported-task" in rules(translated(FILE.replace("text-generation", task)))


def test_a_conversation_in_json_is_for_the_tokenizers_own_template() -> None:
    text = with_format("""'[{{"role": "user", "content": "{instruction}"}}]'""")
    assert spec(text).engine_config.generation.prompt_format is None
    assert fates(translated(text))["model_conf.generation.prompt_format"] is Fate.OBSOLETE


def test_a_conversation_in_json_that_brings_messages_is_an_error() -> None:
    text = with_format("""'[{{"role": "system", "content": "x"}}, {{"role": "user", "content": "{instruction}"}}]'""")
    assert rules(translated(text)) == ["prompt-format-parts"]


@pytest.mark.parametrize("prompt_format", ["'[1]'", "'{'", "'[{instruction:>9999999999}]'"])
def test_what_only_looks_like_json_is_a_format(prompt_format: str) -> None:
    assert translated(with_format(prompt_format)).value["engine_config"]["generation"]["prompt_format"][
        "user"
    ] == prompt_format.strip("'")
