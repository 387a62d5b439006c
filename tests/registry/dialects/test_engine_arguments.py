from typing import Any

import pytest

from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.translation import Fate, Translation
from reconciler.registry.tables import engine_arguments
from tests.support.dialects import fates, rules, translator


def arguments(block: str) -> Translation:
    found = translator(f"engine_config: {{engine_kwargs: {{{block}}}}}")
    translate_engine_kwargs(found, ("engine_config", "engine_kwargs"))
    return found.finish()


def carried(block: str) -> dict[str, Any]:
    translation = arguments(block)
    assert rules(translation) == []
    return translation.value.get("engine_config", {}).get("engine_kwargs", {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_num_seqs: 64, trust_remote_code: true", {"max_num_seqs": 64, "trust_remote_code": True}),
        ("max_num_seq: 64", {"max_num_seqs": 64}),
        ("max_log_probs: 0", {"max_logprobs": 0}),
        ("enable_cuda_graph: true", {"enforce_eager": False}),
        ("enable_cuda_graph: false", {"enforce_eager": True}),
        ("guided_decoding_backend: xgrammar", {"structured_outputs_config": {"backend": "xgrammar"}}),
        ("rope_scaling: {factor: 2.0}", {"hf_overrides": {"rope_scaling": {"factor": 2.0}}}),
        ("quantization: awq", {"quantization": "awq"}),
        ("max_num_seqs: null", {}),
    ],
)
def test_an_argument_is_carried_under_the_name_of_today(old: str, new: dict[str, Any]) -> None:
    assert carried(old) == new


@pytest.mark.parametrize(
    "name",
    ["num_tokenizer_actors", "tokenizer_pool_extra_config", "use_v2_block_manager", "device", "worker_use_ray"],
)
def test_an_argument_that_means_nothing_is_obsolete(name: str) -> None:
    translation = arguments(f"{name}: 1")
    assert fates(translation) == {f"engine_config.engine_kwargs.{name}": Fate.OBSOLETE}
    assert ENGINE_KWARGS[0] not in translation.value


@pytest.mark.parametrize(
    ("block", "rule"),
    [
        ("quantization: squeezellm", "engine-argument-values"),
        ("max_model_len: 4096", "reserved-engine-arguments"),
        ("max_nm_seqs: 4", "known-engine-arguments"),
        ("max_nm_seqs: null", "known-engine-arguments"),
        ("max_num_seq: 4, max_num_seqs: 4", "given-twice"),
        ("rope_scaling: {a: 1}, hf_overrides: {b: 2}", "given-twice"),
        ("task: classify", "unsupported-task"),
        ("enable_prompt_lookup: true, speculative_model: org/draft", "given-twice"),
        ("enable_prompt_lookup: true, max_ngram_size: 3, ngram_prompt_lookup_max: 3", "given-twice"),
    ],
)
def test_an_argument_that_cannot_be_carried_is_an_error(block: str, rule: str) -> None:
    assert rules(arguments(block)) == [rule]


def test_a_misspelt_argument_names_the_nearest_one() -> None:
    assert arguments("max_nm_seqs: 4").diagnostics[0].hint == "did you mean `max_num_seqs`?"


def test_what_the_caller_handles_is_left_to_it() -> None:
    found = translator("engine_config: {engine_kwargs: {max_model_len: 4096, seed: 1}}")
    source = ("engine_config", "engine_kwargs")
    found.copy((*source, "max_model_len"), ("engine_config", "max_total_tokens"))
    translate_engine_kwargs(found, source, handled=frozenset({"max_model_len"}))
    assert found.value == {"engine_config": {"max_total_tokens": 4096, "engine_kwargs": {"seed": 1}}}


def test_the_task_of_an_embedding_model_is_its_type() -> None:
    assert arguments("task: embed").value == {"engine_config": {"type": "EmbeddingEngine"}}
    assert fates(arguments("task: generate")) == {"engine_config.engine_kwargs.task": Fate.METADATA}


def test_every_argument_of_today_that_has_a_place_here_is_carried() -> None:
    names = [name for name, argument in engine_arguments().items() if argument.reserved is None]
    assert len(names) > 100
    assert set(carried(", ".join(f"{name}: 1" for name in names))) == set(names)


@pytest.mark.parametrize(
    ("block", "config"),
    [
        (
            "speculative_model: '[ngram]', num_speculative_tokens: 7, ngram_prompt_lookup_max: 3, "
            "ngram_prompt_lookup_min: 1",
            {"method": "ngram", "num_speculative_tokens": 7, "prompt_lookup_max": 3, "prompt_lookup_min": 1},
        ),
        (
            "enable_prompt_lookup: true, max_ngram_size: 3, num_speculative_tokens: 7",
            {"method": "ngram", "prompt_lookup_max": 3, "num_speculative_tokens": 7},
        ),
        ("enable_prompt_lookup: true, speculative_model: '[ngram]'", {"method": "ngram"}),
        (
            "speculative_model: org/draft, num_speculative_tokens: 5",
            {"model": "org/draft", "num_speculative_tokens": 5},
        ),
    ],
)
def test_speculation_is_gathered_in_one_argument(block: str, config: dict[str, Any]) -> None:
    assert carried(block) == {"speculative_config": config}


def test_speculation_without_drafts_meant_nothing() -> None:
    translation = arguments(
        "num_speculative_tokens: 7, enable_prompt_lookup: false, spec_decode_skip_kv_regeneration: 1"
    )
    assert translation.value == {}
    assert fates(translation) == {
        "engine_config.engine_kwargs.num_speculative_tokens": Fate.OBSOLETE,
        "engine_config.engine_kwargs.enable_prompt_lookup": Fate.METADATA,
        "engine_config.engine_kwargs.spec_decode_skip_kv_regeneration": Fate.OBSOLETE,
    }
