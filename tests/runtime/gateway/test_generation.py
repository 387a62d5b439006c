"""What a request says wins over the model's defaults; stop sequences are added to its own."""

from typing import Any

import pytest

from runtime.gateway.endpoints import ENDPOINTS
from runtime.gateway.errors import GatewayError
from runtime.gateway.generation import fill
from runtime.gateway.route import Route

CHAT = "/v1/chat/completions"


def filled(sent: dict[str, Any], path: str = CHAT, **route: Any) -> dict[str, Any]:
    fields = dict(sent)
    changed = fill(fields, ENDPOINTS[path], Route("chat", "chat", "LLMServer:chat", "generation", **route))
    assert changed == (fields != sent)
    return fields


def test_a_default_fills_what_was_left_out() -> None:
    assert filled({"top_p": 1}, defaults={"temperature": 0.2}) == {"top_p": 1, "temperature": 0.2}


@pytest.mark.parametrize("sent", [0.0, 1.5, False, ""])
def test_what_was_sent_wins(sent: Any) -> None:
    assert filled({"temperature": sent}, defaults={"temperature": 0.2}) == {"temperature": sent}


def test_null_counts_as_left_out() -> None:
    assert filled({"temperature": None}, defaults={"temperature": 0.2}) == {"temperature": 0.2}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("default", ["max_tokens", "max_completion_tokens"])
def test_either_name_of_the_output_limit_decides_about_both(name: str, default: str) -> None:
    assert filled({name: 5}, defaults={default: 99}) == {name: 5}


@pytest.mark.parametrize("default", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/completions", "max_tokens"),
        ("/v1/messages", "max_tokens"),
        ("/v1/responses", "max_output_tokens"),
    ],
)
def test_the_output_limit_has_the_name_of_the_path(default: str, path: str, name: str) -> None:
    assert filled({}, path, defaults={default: 9}) == {name: 9}
    assert filled({name: 5}, path, defaults={default: 9}) == {name: 5}


def test_the_output_limit_of_a_chat_keeps_its_name() -> None:
    assert filled({}, defaults={"max_completion_tokens": 9}) == {"max_completion_tokens": 9}
    assert filled({}, defaults={"max_tokens": 9}) == {"max_tokens": 9}


def test_fields_that_nobody_knows_are_kept_and_filled() -> None:
    found = filled({"custom": 1}, defaults={"custom": 2, "other": {"a": [1]}})
    assert found == {"custom": 1, "other": {"a": [1]}}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ["END"]),
        ({"stop": None}, ["END"]),
        ({"stop": "x"}, ["x", "END"]),
        ({"stop": ["x", "END"]}, ["x", "END"]),
        ({"stop": ["x"]}, ["x", "END"]),
        ({"stop": 7}, 7),
    ],
)
def test_stop_strings_are_added_once(sent: dict[str, Any], expected: Any) -> None:
    assert filled(sent, stop=("END",))["stop"] == expected


def test_stop_strings_are_added_to_the_default_ones() -> None:
    assert filled({}, defaults={"stop": ["a"]}, stop=("END",)) == {"stop": ["a", "END"]}


def test_stop_token_ids_are_added_once() -> None:
    assert filled({"stop_token_ids": [3]}, stop_token_ids=(3, 7)) == {"stop_token_ids": [3, 7]}


def test_stops_have_the_name_of_the_path() -> None:
    stops: dict[str, Any] = {"stop": ("END",), "stop_token_ids": (7,)}
    assert filled({}, "/v1/messages", **stops) == {"stop_sequences": ["END"]}
    assert filled({}, "/v1/responses", **stops) == {}


def test_what_does_not_generate_is_left_alone() -> None:
    route: dict[str, Any] = {"defaults": {"temperature": 0}, "stop": ("END",), "stop_token_ids": (7,)}
    for path in ("/v1/embeddings", "/v1/score", "/tokenize", "/v1/messages/count_tokens"):
        assert filled({"input": "x"}, path, **route) == {"input": "x"}


def test_filling_one_request_leaves_the_route_as_it_is() -> None:
    defaults = {"stop": ["a"]}
    filled({}, defaults=defaults, stop=("END",))
    assert defaults == {"stop": ["a"]}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (CHAT, "max_tokens"),
        (CHAT, "max_completion_tokens"),
        ("/v1/completions", "max_tokens"),
        ("/v1/responses", "max_output_tokens"),
        ("/v1/messages", "max_tokens"),
    ],
)
def test_who_asks_for_more_than_the_limit_is_refused(path: str, name: str) -> None:
    assert filled({name: 10}, path, max_output_tokens=10) == {name: 10}
    with pytest.raises(GatewayError) as raised:
        filled({name: 11}, path, max_output_tokens=10)
    assert raised.value.status == 400
    assert raised.value.body["error"] == {
        "message": f"{name} is too large: 11. Model `chat` answers with at most 10 tokens",
        "type": "invalid_request_error",
        "param": name,
        "code": "invalid_value",
    }


def test_who_says_nothing_gets_the_limit_or_the_default_below_it() -> None:
    assert filled({}, max_output_tokens=10) == {"max_tokens": 10}
    assert filled({}, "/v1/responses", max_output_tokens=10) == {"max_output_tokens": 10}
    assert filled({}, max_output_tokens=10, defaults={"max_completion_tokens": 5}) == {"max_completion_tokens": 5}
    assert filled({"max_completion_tokens": 3}, max_output_tokens=10) == {"max_completion_tokens": 3}


@pytest.mark.parametrize("wanted", ["many", [11], {"a": 11}])
def test_a_limit_that_is_no_number_is_for_the_engine_to_refuse(wanted: Any) -> None:
    assert filled({"max_tokens": wanted}, max_output_tokens=10) == {"max_tokens": wanted}


def test_what_does_not_generate_has_no_limit() -> None:
    assert filled({"max_tokens": 99}, "/tokenize", max_output_tokens=10) == {"max_tokens": 99}


def test_a_default_least_gives_way_to_a_request_that_wants_less() -> None:
    defaults = {"min_tokens": 10, "max_tokens": 50}
    assert filled({}, defaults=defaults) == {"min_tokens": 10, "max_tokens": 50}
    assert filled({"max_tokens": 5}, defaults=defaults) == {"max_tokens": 5, "min_tokens": 5}
    assert filled({"max_completion_tokens": 5}, defaults=defaults) == {"max_completion_tokens": 5, "min_tokens": 5}
