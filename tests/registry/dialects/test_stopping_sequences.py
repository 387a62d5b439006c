from typing import Any

import pytest

from reconciler.registry.dialects.stopping_sequences import STOPPING_SEQUENCES, translate_stopping_sequences
from reconciler.registry.dialects.translation import Fate
from tests.support.dialects import fates, rules, translator


def stops(written: str) -> tuple[Any, list[str]]:
    found = translator(f"generation: {{stopping_sequences: {written}}}")
    translate_stopping_sequences(found, ("generation", "stopping_sequences"))
    value = found.value_at(STOPPING_SEQUENCES[:-1]).get("stopping_sequences")
    return value, rules(found.finish())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("['### End', '<|im_end|>']", ["### End", "<|im_end|>"]),
        ("[50278, 1, 0]", [50278, 1, 0]),
        ("['50256', ' 5 ', '1_000']", [50256, 5, 1000]),
        ("[['50256'], [7]]", [50256, 7]),
        ("['a', 'a', '']", ["a"]),
        ("[]", []),
        ("[true, 1.5]", [True, 1.5]),
        ("text", "text"),
    ],
)
def test_numbers_are_token_ids(written: str, expected: Any) -> None:
    assert stops(written) == (expected, [])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[835, [13, 2277]]", [835, [13, 2277]]),
        ("[['13', 2277], [13, 2277]]", [[13, 2277]]),
        ("[[13, end]]", [[13, "end"]]),
        ("[[a, b], ab]", ["ab"]),
        ("[[], [[]], [13], [[14]]]", [13, 14]),
    ],
)
def test_a_list_is_a_sequence_of_tokens(written: str, expected: Any) -> None:
    assert stops(written) == (expected, [])


def test_a_list_in_a_sequence_is_for_the_form_to_refuse() -> None:
    assert stops("[[1, [2, 3]]]") == ([[1, [2, 3]]], [])


def test_null_is_none() -> None:
    found = translator("generation: {stopping_sequences: null}")
    translate_stopping_sequences(found, ("generation", "stopping_sequences"))
    assert fates(found.finish()) == {"generation.stopping_sequences": Fate.METADATA}
