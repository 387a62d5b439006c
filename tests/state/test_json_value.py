import json
import math

from hypothesis import given

from reconciler.state.json_value import canonical, canonical_text, digest, same
from tests.support.strategies import json_values


def test_integral_floats_are_integers_and_keys_are_sorted() -> None:
    assert canonical_text({"b": 1.0, "a": (2, 0.5)}) == '{"a":[2,0.5],"b":1}'


def test_booleans_are_not_numbers() -> None:
    assert not same(True, 1)
    assert not same([0], [False])
    assert same({"a": True}, {"a": True})


def test_one_and_one_point_zero_are_the_same() -> None:
    assert same({"num_gpus": [1]}, {"num_gpus": [1.0]})
    assert digest({"num_gpus": 1}) == digest({"num_gpus": 1.0})


def test_what_is_no_number_is_the_same_as_itself() -> None:
    assert same([math.nan], [math.nan])
    assert not same(math.nan, 1.0)


def test_different_shapes_are_not_the_same() -> None:
    assert not same({"a": 1}, {"b": 1})
    assert not same({"a": 1}, [1])
    assert not same([1], {"a": 1})
    assert not same([1], [1, 2])
    assert not same("1", 1)


def test_a_text_with_half_a_surrogate_pair_has_a_digest() -> None:
    assert len(digest(json.loads('"\\ud83d"'))) == 64


@given(json_values)
def test_canonical_of_canonical_is_itself(value: object) -> None:
    assert canonical_text(canonical(value)) == canonical_text(value)
    assert repr(canonical(canonical(value))) == repr(canonical(value))


@given(json_values, json_values)
def test_same_is_equality_of_canonical_texts(left: object, right: object) -> None:
    assert same(left, right) == (canonical_text(left) == canonical_text(right))
    assert same(left, left)
