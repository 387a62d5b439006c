"""Limits in tokens and stops that are tokens, in a request that its engine is about to answer."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.engine.terms import PromptTooLong, apply, limit_prompts


def decode(ids: list[int]) -> str:
    """Each token is its number's letter."""
    return "".join(chr(96 + number) for number in ids)


def stops(*sequences: list[Any], path: str = "/v1/chat/completions", **fields: Any) -> dict[str, Any]:
    request = {
        "path": path,
        "body": json.dumps({"model": "m", **fields}).encode(),
        "terms": {"stop_token_sequences": list(sequences)},
    }
    found: dict[str, Any] = json.loads(apply(request, decode)["body"])
    assert found.pop("model") == "m"
    return found


def test_sequences_of_tokens_become_the_text_that_they_are() -> None:
    assert stops([1, 2, 3], [4, " and ", "so ", 5]) == {"stop": ["abc", "d and so e"]}


@pytest.mark.parametrize(("own", "expected"), [(None, ["a"]), ("x", ["x", "a"]), (["a", "x"], ["a", "x"]), (7, 7)])
def test_they_are_added_to_the_requests_own_once(own: Any, expected: Any) -> None:
    assert stops([1], stop=own) == {"stop": expected}


def test_they_have_the_name_of_the_path() -> None:
    assert stops([1], path="/v1/messages") == {"stop_sequences": ["a"]}
    assert stops([1], path="/v1/responses") == {}


def test_what_is_no_text_stops_nothing() -> None:
    assert stops([]) == {}


@pytest.mark.parametrize("terms", [None, {}])
@pytest.mark.parametrize("body", [b"not even JSON", b'{ "a":1}'])
def test_without_terms_the_body_is_not_touched(terms: Any, body: bytes) -> None:
    request = {"path": "/v1/completions", "body": body, "terms": terms}
    assert apply(request, decode) is request


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_the_engine_will_refuse_is_left_to_it(body: bytes) -> None:
    request = {"path": "/v1/completions", "body": body, "terms": {"stop_token_sequences": [[1]]}}
    assert apply(request, decode)["body"] == body


class Renderer:
    """As vLLM's: what it makes of a conversation or of prompts."""

    async def preprocess_chat(self, *lengths: int) -> Any:
        return ["conversation"], [{"prompt_token_ids": list(range(length))} for length in lengths]

    async def preprocess_cmpl(self, *lengths: int) -> Any:
        return [{"prompt_token_ids": list(range(length))} for length in lengths] + [{"prompt_embeds": object()}]

    def _make_request_with_harmony(self, *lengths: int) -> Any:
        return ["message"], [{"prompt_token_ids": list(range(length))} for length in lengths]


METHODS = ("preprocess_chat", "preprocess_cmpl", "_make_request_with_harmony")


async def rendered(method: str, *lengths: int, limit: int | None) -> Any:
    state = SimpleNamespace(online_renderer=Renderer())
    limit_prompts(state)
    apply({"path": "/v1/completions", "body": b"", "terms": {"max_input_tokens": limit}}, decode)
    found = getattr(state.online_renderer, method)(*lengths)
    return found if isinstance(found, tuple) else await found


@pytest.mark.parametrize("method", METHODS)
def test_a_prompt_that_is_too_long_is_refused_with_its_length(method: str) -> None:
    asyncio.run(rendered(method, 3, 2, limit=3))
    asyncio.run(rendered(method, 300, limit=None))
    with pytest.raises(PromptTooLong, match=r"at most 3 input tokens\. However, your prompt has 4"):
        asyncio.run(rendered(method, 2, 4, limit=3))


def test_the_limit_is_that_of_the_request_at_hand() -> None:
    async def run() -> list[Any]:
        tight = asyncio.create_task(rendered("preprocess_cmpl", 5, limit=3))
        wide = asyncio.create_task(rendered("preprocess_cmpl", 5, limit=9))
        none = asyncio.create_task(rendered("preprocess_cmpl", 5, limit=None))
        return await asyncio.gather(tight, wide, none, return_exceptions=True)

    tight, wide, none = asyncio.run(run())
    assert isinstance(tight, PromptTooLong)
    assert len(wide) == len(none) == 2
