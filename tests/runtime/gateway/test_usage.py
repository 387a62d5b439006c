"""What an answer says about its tokens, read from its end."""

import json
from typing import Any

import pytest

from runtime.gateway.usage import END_BYTES, Usage, find_usage


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 9, "total_tokens": 21, "completion_tokens": 12, "prompt_tokens_details": None},
        {"completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 3}, "prompt_tokens": 9},
        {"input_tokens": 9, "output_tokens": 12},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_it_is_found_in_an_answer(usage: Any, separators: Any) -> None:
    body = json.dumps({"choices": [{"text": "x" * 5000}], "usage": usage, "id": None}, separators=separators).encode()
    assert find_usage(body[-END_BYTES:]) == Usage(9, 12)


def test_it_is_found_in_a_stream_before_its_last_event() -> None:
    stream = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}\n\ndata: [DONE]\n\n'
    assert find_usage(stream) == Usage(9, 12)


def test_an_embedding_has_only_a_prompt() -> None:
    found = find_usage(b'{"usage":{"prompt_tokens":9,"total_tokens":9}}')
    assert found == Usage(9, 0)
    assert found is not None
    assert list(found.kinds()) == [("prompt", 9)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]\n\n",
        b'{"usage":null}',
        json.dumps({"text": '{"usage":{"prompt_tokens":5}}'}, separators=(",", ":")).encode(),
    ],
)
def test_what_an_answer_talks_about_is_not_its_usage(body: bytes) -> None:
    assert find_usage(body) is None
