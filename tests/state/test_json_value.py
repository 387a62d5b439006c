import json
import math

import pytest
from hypothesis import given

from reconciler.state.json_value import canonical, canonical_bytes, canonical_json, digest, parse_json, rewritten, same
from tests.support.strategies import json_values


def test_integral_floats_are_integers_and_keys_are_sorted() -> None:
    assert canonical_bytes({"b": 1.0, "a": (2, 0.5)}) == b'{"a":[2,0.5],"b":1}'


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
    assert canonical_bytes(canonical(value)) == canonical_bytes(value)
    assert repr(canonical(canonical(value))) == repr(canonical(value))


@given(json_values, json_values)
def test_same_is_equality_of_canonical_texts(left: object, right: object) -> None:
    assert same(left, right) == (canonical_bytes(left) == canonical_bytes(right))
    assert same(left, left)


@given(json_values)
def test_a_text_that_is_rewritten_stays_canonical(value: object) -> None:
    text = canonical_bytes(value)
    assert rewritten(text, lambda found: found) == text
    assert rewritten(text, lambda found: {"b": found, "a": [found]}) == canonical_bytes({"a": [value], "b": value})


@given(json_values)
def test_a_text_has_the_canonical_form_of_its_value(value: object) -> None:
    text = json.dumps(value, indent=1).encode()
    found, written = canonical_json(text)
    assert canonical_bytes(found) == written == canonical_bytes(value)
    assert same(found, value)
    assert same(json.loads(written), value)
    assert repr(parse_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text", ["NaN", "[1e400, 1]", "123456789012345678901234567890", '"\\ud83d"', "[Infinity]", "1e22", "-0.0"]
)
def test_what_the_quick_library_refuses_is_read_all_the_same(text: str) -> None:
    found, written = canonical_json(text.encode())
    assert repr(found) == repr(canonical(json.loads(text)))
    assert json.loads(written.decode("utf-8", "surrogatepass")) == found or math.isnan(found)
    assert canonical_bytes(found) == written
    assert rewritten(written, lambda value: value) == written
    assert repr(parse_json(written)) == repr(found)
    assert repr(parse_json(text.encode())) == repr(json.loads(text))


def test_no_json_is_an_error() -> None:
    for read in (canonical_json, parse_json):
        with pytest.raises(ValueError, match="Expecting"):
            read(b"{")
