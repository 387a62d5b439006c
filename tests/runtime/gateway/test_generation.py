"""What a request says wins over the model's defaults; stop sequences are added to its own."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from runtime.gateway.generation import fill
from runtime.gateway.table import Route


class Format(BaseModel):
    type: Literal["text", "json_object"]


class Body(BaseModel):
    """A request as vLLM declares it: unknown fields are kept, one field is deprecated, one is set of its own accord."""

    model_config = ConfigDict(extra="allow")

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(default=16, deprecated="use max_completion_tokens")
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = []
    stop_token_ids: list[int] | None = []
    response_format: Format | None = None


def filled(sent: dict[str, Any], **route: Any) -> Body:
    body = Body.model_validate({"max_tokens": 16, **sent})
    fill(body, sent, Route("chat", "chat", "LLMServer:chat", "generation", **route))
    return body


def values(body: Body) -> dict[str, Any]:
    return {**body.__dict__, **(body.model_extra or {})}


def test_a_default_fills_what_was_left_out() -> None:
    assert filled({}, defaults={"temperature": 0.2}).temperature == 0.2


@pytest.mark.parametrize("sent", [0.0, 1.5])
def test_what_was_sent_wins(sent: float) -> None:
    assert filled({"temperature": sent}, defaults={"temperature": 0.2}).temperature == sent


def test_null_counts_as_left_out() -> None:
    assert filled({"temperature": None}, defaults={"temperature": 0.2}).temperature == 0.2


def test_a_field_that_vllm_sets_itself_is_still_left_out() -> None:
    assert values(filled({}, defaults={"max_tokens": 99}))["max_tokens"] == 99


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("default", ["max_tokens", "max_completion_tokens"])
def test_either_name_of_the_output_limit_decides_about_both(name: str, default: str) -> None:
    found = values(filled({name: 5}, defaults={default: 99}))
    assert found[name] == 5
    assert 99 not in found.values()


def test_a_structured_default_becomes_what_the_field_holds() -> None:
    body = filled({}, defaults={"response_format": {"type": "json_object"}})
    assert body.response_format == Format(type="json_object")


def test_fields_that_nobody_declares_are_kept_and_filled() -> None:
    body = filled({"custom": 1}, defaults={"custom": 2, "other": 3})
    assert body.model_extra == {"custom": 1, "other": 3}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ["END"]),
        ({"stop": None}, ["END"]),
        ({"stop": "x"}, ["x", "END"]),
        ({"stop": ["x", "END"]}, ["x", "END"]),
    ],
)
def test_stop_strings_are_added_once(sent: dict[str, Any], expected: list[str]) -> None:
    assert filled(sent, stop=("END",)).stop == expected


def test_stop_strings_are_added_to_the_default_ones() -> None:
    assert filled({}, defaults={"stop": ["a"]}, stop=("END",)).stop == ["a", "END"]


def test_stop_token_ids_are_added_once() -> None:
    assert filled({"stop_token_ids": [3]}, stop_token_ids=(3, 7)).stop_token_ids == [3, 7]


def test_without_defaults_nothing_changes() -> None:
    body = filled({"temperature": 0.1})
    assert values(body) == values(Body.model_validate({"max_tokens": 16, "temperature": 0.1}))


def test_filling_one_request_leaves_the_route_as_it_is() -> None:
    defaults = {"stop": ["a"]}
    filled({}, defaults=defaults, stop=("END",))
    assert defaults == {"stop": ["a"]}
