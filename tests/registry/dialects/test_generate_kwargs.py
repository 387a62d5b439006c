from typing import Any

import pytest

from reconciler.registry.dialects.generate_kwargs import (
    GENERATE_KWARGS,
    drop_generate_kwargs,
    translate_generate_kwargs,
)
from reconciler.registry.dialects.translation import Fate, Translation
from tests.support.dialects import fates, rules, translator

SOURCE = ("generation", "generate_kwargs")


def generation(block: str, *, samples_by_default: bool = True) -> tuple[dict[str, Any], Translation]:
    found = translator(f"generation: {{generate_kwargs: {{{block}}}}}")
    translate_generate_kwargs(found, SOURCE, samples_by_default=samples_by_default)
    return dict(found.value_at(GENERATE_KWARGS)), found.finish()


def test_limits_have_the_names_of_request_fields() -> None:
    value, translation = generation("max_new_tokens: 512, min_new_tokens: 16, ignore_eos_token: false")
    assert value == {"max_tokens": 512, "min_tokens": 16, "ignore_eos": False}
    assert set(fates(translation).values()) == {Fate.MAPPED}


def test_of_two_names_for_a_limit_the_first_counts() -> None:
    value, translation = generation("max_new_tokens: 128, max_tokens: 265")
    assert value == {"max_tokens": 128}
    assert fates(translation)["generation.generate_kwargs.max_tokens"] is Fate.OBSOLETE


def test_sampling_stays_what_it_is() -> None:
    value, _ = generation("do_sample: true, temperature: 0.7, top_p: 0.8, top_k: 0, repetition_penalty: 1.1")
    assert value == {"temperature": 0.7, "top_p": 0.8, "top_k": 0, "repetition_penalty": 1.1}


@pytest.mark.parametrize(
    ("block", "samples_by_default"), [("do_sample: false, ", True), ("", False), ("do_sample: null, ", False)]
)
def test_a_model_that_does_not_sample_has_temperature_0(block: str, samples_by_default: bool) -> None:
    value, translation = generation(
        f"{block}temperature: 0.7, top_p: 0.8, repetition_penalty: 1.1", samples_by_default=samples_by_default
    )
    assert value == {"temperature": 0, "repetition_penalty": 1.1}
    assert fates(translation)["generation.generate_kwargs.temperature"] is Fate.OBSOLETE


@pytest.mark.parametrize("name", ["typical_p", "watermark", "num_beams", "return_token_type_ids", "echo"])
def test_what_no_request_has_is_obsolete(name: str) -> None:
    value, translation = generation(f"{name}: 1")
    assert value == {}
    assert fates(translation) == {f"generation.generate_kwargs.{name}": Fate.OBSOLETE}


def test_an_unknown_argument_is_an_error() -> None:
    _, translation = generation("temprature: 0.7")
    assert rules(translation) == ["unknown-key"]
    assert translation.diagnostics[0].hint == "did you mean `temperature`?"


def test_a_value_that_is_no_boolean_is_an_error() -> None:
    assert rules(generation("do_sample: 'no'")[1]) == ["wrong-type"]


def test_arguments_that_had_no_effect_are_obsolete_one_by_one() -> None:
    found = translator("generation: {generate_kwargs: {temperature: 0.7, top_p: null}}")
    drop_generate_kwargs(found, SOURCE, "nothing ever read it")
    assert fates(found.finish()) == {
        "generation.generate_kwargs.temperature": Fate.OBSOLETE,
        "generation.generate_kwargs.top_p": Fate.METADATA,
    }
