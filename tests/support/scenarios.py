"""What a client asks of an OpenAI API, and what of two answers may differ.

Each scenario is one request as the official Python client sends it. The same one goes to the gateway and to
`vllm serve`, and the answers have to be equal but for what `MAY_DIFFER` lists.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAY_DIFFER = {
    "id": "drawn anew for each answer, and for each tool call in it",
    "created": "the second in which it was made",
    "created_at": "the same, in the responses API",
    "completed_at": "the same, in the responses API",
    "item_id": "the id of a part of an answer of the responses API, which its events repeat",
    "call_id": "drawn anew for each tool call of the responses API",
}
"""Keys whose values are not compared, with the reason. That they are there, and of the same type, is."""

MODEL = "local/tiny-chat"
VECTORS = "local/tiny-vectors"

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "enum": ["Rome", "Oslo"]},
                "days": {"type": "integer", "enum": [1]},
            },
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
ANIMAL = {
    "type": "object",
    "properties": {"animal": {"type": "string", "enum": ["cat", "dog"]}, "legs": {"type": "integer", "enum": [2, 4]}},
    "required": ["animal", "legs"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Scenario:
    """One request. `call` is the method of the client, such as `chat.completions`."""

    call: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """All that the method gets."""
        return {**_BASIC[self.call], **self.fields}


_BASIC: dict[str, dict[str, Any]] = {
    "chat.completions": {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 12},
    "completions": {"model": MODEL, "prompt": "Once upon a time", "temperature": 0, "max_tokens": 12},
    "responses": {"model": MODEL, "input": "Hello", "temperature": 0, "max_output_tokens": 12},
    "embeddings": {"model": VECTORS, "input": "Hello"},
}


def _chat(**fields: Any) -> Scenario:
    return Scenario("chat.completions", fields)


def _completion(**fields: Any) -> Scenario:
    return Scenario("completions", fields)


def _response(**fields: Any) -> Scenario:
    return Scenario("responses", fields)


def _vector(**fields: Any) -> Scenario:
    return Scenario("embeddings", fields)


def _extra(**fields: Any) -> dict[str, Any]:
    return {"extra_body": fields}


_TALK = [
    {"role": "system", "content": "Be brief."},
    *HELLO,
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]},
]
_CALLED = [
    *HELLO,
    {
        "role": "assistant",
        "tool_calls": [{"id": "call-1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call-1", "content": "sunny"},
]
_NAMED = {"type": "function", "function": {"name": "weather"}}
_SCHEMA = {"type": "json_schema", "json_schema": {"name": "animal", "schema": ANIMAL, "strict": True}}

ANSWERED: dict[str, Scenario] = {
    "a chat": _chat(),
    "a conversation": _chat(messages=_TALK),
    "a developer's message": _chat(messages=[{"role": "developer", "content": "Be brief."}, *HELLO]),
    "a chat with the newer name of its limit": _chat(max_tokens=None, max_completion_tokens=7),
    "a chat that a word stops": _chat(stop=["e", "a"], max_tokens=200),
    "a chat that a string stops": _chat(stop=" ", max_tokens=200),
    "a chat that shows what stopped it": _chat(stop=" ", **_extra(include_stop_str_in_output=True), max_tokens=200),
    "a chat with logprobs": _chat(logprobs=True, top_logprobs=3),
    "a chat with logprobs of no others": _chat(logprobs=True),
    "a chat with a seed": _chat(seed=7),
    "several answers of a seed": _chat(n=2, seed=7, temperature=0.5),
    "a chat with penalties": _chat(presence_penalty=0.5, frequency_penalty=0.5, max_tokens=30),
    "a chat with a bias": _chat(logit_bias={"122": 50}),
    "a chat of somebody the template does not know": _chat(messages=[{"role": "nobody", "content": "Hello"}]),
    "a chat with nulls": _chat(stop=None, seed=None, tools=None, response_format=None),
    "a chat of an alias's user": _chat(user="somebody"),
    "a streamed chat": _chat(stream=True, max_tokens=60),
    "a streamed chat with its usage": _chat(stream=True, stream_options={"include_usage": True}),
    "a streamed chat with logprobs": _chat(stream=True, logprobs=True, top_logprobs=2),
    "several streamed answers": _chat(stream=True, n=2, seed=7, temperature=0.5),
    "a tool that is named": _chat(tools=[TOOL], tool_choice=_NAMED, max_tokens=100),
    "a tool that is required": _chat(tools=[TOOL], tool_choice="required", max_tokens=200),
    "a tool that may be called": _chat(tools=[TOOL], tool_choice="auto"),
    "a tool that is not to be called": _chat(tools=[TOOL], tool_choice="none"),
    "a tool that is named, streamed": _chat(tools=[TOOL], tool_choice=_NAMED, max_tokens=100, stream=True),
    "a tool that is required, streamed": _chat(tools=[TOOL], tool_choice="required", max_tokens=200, stream=True),
    "what a tool said": _chat(messages=_CALLED, tools=[TOOL]),
    "JSON of a schema": _chat(response_format=_SCHEMA, max_tokens=100),
    "JSON of a schema, streamed": _chat(response_format=_SCHEMA, max_tokens=100, stream=True),
    "any JSON": _chat(response_format={"type": "json_object"}, max_tokens=20),
    "one of some words": _chat(**_extra(structured_outputs={"choice": ["yes", "no"]})),
    "what an expression allows": _chat(**_extra(structured_outputs={"regex": "[0-9]{4}"})),
    "what a grammar allows": _chat(**_extra(structured_outputs={"grammar": 'root ::= "a" | "b"'})),
    "JSON of a schema in vLLM's own words": _chat(**_extra(structured_outputs={"json": ANIMAL}), max_tokens=100),
    "at least so many tokens": _chat(**_extra(min_tokens=9, stop_token_ids=[97, 98, 99, 100, 101])),
    "a chat that no end ends": _chat(**_extra(ignore_eos=True)),
    "a chat with its tokens": _chat(**_extra(return_token_ids=True)),
    "a streamed chat with its tokens": _chat(stream=True, **_extra(return_token_ids=True)),
    "a chat with the prompt's logprobs": _chat(**_extra(prompt_logprobs=1)),
    "a chat with the sampling of vLLM": _chat(**_extra(top_k=5, min_p=0.1, repetition_penalty=1.2), max_tokens=30),
    "a chat without some words": _chat(**_extra(bad_words=["e"]), max_tokens=30),
    "a chat of some tokens": _chat(**_extra(allowed_token_ids=[97, 98, 99])),
    "a chat that goes on": _chat(
        messages=[*HELLO, {"role": "assistant", "content": "I am"}],
        **_extra(continue_final_message=True, add_generation_prompt=False),
    ),
    "a chat with special tokens": _chat(**_extra(skip_special_tokens=False, add_special_tokens=True)),
    "a chat that is cut to fit": _chat(
        messages=[{"role": "user", "content": "x" * 3000}], **_extra(truncate_prompt_tokens=50)
    ),
    "a chat with variables of the template": _chat(**_extra(chat_template_kwargs={"enable_thinking": False})),
    "a completion": _completion(),
    "a completion of several prompts": _completion(prompt=["One", "Two"]),
    "a completion of tokens": _completion(prompt=[97, 98, 99]),
    "a completion of lists of tokens": _completion(prompt=[[97, 98], [99]]),
    "a completion with its prompt": _completion(echo=True),
    "a completion with logprobs": _completion(logprobs=2),
    "a completion with logprobs of its prompt": _completion(logprobs=1, echo=True, max_tokens=3),
    "several completions of a seed": _completion(n=2, seed=7, temperature=0.5),
    "a completion that a word stops": _completion(stop=["e"], max_tokens=200),
    "a completion without a limit": _completion(max_tokens=None),
    "a streamed completion": _completion(stream=True, max_tokens=60),
    "a streamed completion with its usage": _completion(stream=True, stream_options={"include_usage": True}),
    "streamed completions of several prompts": _completion(stream=True, prompt=["One", "Two"]),
    "a completion with its tokens": _completion(**_extra(return_token_ids=True)),
    "a completion of a schema": _completion(**_extra(structured_outputs={"json": ANIMAL}), max_tokens=100),
    "a response": _response(),
    "a response to a conversation": _response(input=HELLO, instructions="Be brief."),
    "a streamed response": _response(stream=True),
    "a response of a schema": _response(
        text={"format": {"type": "json_schema", "name": "animal", "schema": ANIMAL, "strict": True}},
        max_output_tokens=100,
    ),
    "a vector": _vector(),
    "vectors": _vector(input=["One", "Two"]),
    "a vector of tokens": _vector(input=[97, 98, 99]),
    "a vector of numbers": _vector(encoding_format="float"),
    "a vector of bytes": _vector(encoding_format="base64"),
}
"""By name. Each one is answered with 200."""

REFUSED: dict[str, Scenario] = {
    "a temperature that is no number": _chat(temperature="hot"),
    "a negative temperature": _chat(temperature=-1),
    "more tokens than fit": _chat(max_tokens=10**6),
    "no tokens": _chat(max_tokens=0),
    "a prompt that is too long": _chat(messages=[{"role": "user", "content": "x" * 3000}]),
    "a completion of a prompt that is too long": _completion(prompt="x" * 3000),
    "a streamed prompt that is too long": _chat(messages=[{"role": "user", "content": "x" * 3000}], stream=True),
    "messages that are no list": _chat(messages="Hello"),
    "no answers": _chat(n=0),
    "several greedy answers": _chat(n=2),
    "logprobs of too many": _chat(logprobs=True, top_logprobs=10**4),
    "other logprobs without any": _chat(top_logprobs=3),
    "a format that does not exist": _chat(response_format={"type": "yaml"}),
    "a schema that is none": _chat(
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": 7}}}
    ),
    "a tool choice without tools": _chat(tool_choice="required"),
    "a tool that does not exist": _chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "other"}}),
    "usage of what is not streamed": _chat(stream_options={"include_usage": True}),
    "a template of one's own": _chat(**_extra(chat_template="{{ messages }}")),
    "an audio that nobody hears": _chat(
        messages=[{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]
    ),
    "a picture that nobody sees": _chat(
        messages=[
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
        ]
    ),
    "a suffix": _completion(suffix="the end"),
    "tokens that do not exist": _completion(prompt=[10**6]),
    "an empty completion": _completion(prompt=[]),
    "fewer dimensions than the model knows": _vector(dimensions=8),
    "a vector that is too long": _vector(input="x" * 3000),
    "a vector in letters": _vector(encoding_format="letters"),
    "a response that goes on from nowhere": _response(previous_response_id="resp_none"),
}
"""By name. Each one is refused, in the same words and with the same status."""


def comparable(value: Any, key: str | None = None) -> Any:
    """A JSON value in which what may differ is replaced by its type."""
    if key in MAY_DIFFER and isinstance(value, str | int | float):
        return f"some {type(value).__name__}"
    if isinstance(value, Mapping):
        return {name: comparable(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [comparable(item, key) for item in value]
    return value


def joined(chunks: list[Any]) -> Any:
    """A streamed chat or completion as one value: how many tokens come with one chunk is a matter of time, so pieces of
    text, lists and JSON arguments are put together, and of what every chunk repeats the values are listed once."""
    whole: Any = {}
    for chunk in chunks:
        whole = _merged(whole, chunk)
    return whole


def _merged(whole: Any, part: Any, key: str | None = None) -> Any:
    if whole is None or whole == {}:
        return _by_index(part)
    if part is None or part == []:
        return whole
    if isinstance(whole, dict) and isinstance(part, Mapping):
        return {
            name: _merged(whole.get(name), part[name], name) if name in part else whole[name]
            for name in [*whole, *(name for name in part if name not in whole)]
        }
    if isinstance(whole, dict) and isinstance(part, list):
        return _merged(whole, _by_index(part), key)
    if isinstance(whole, list) and isinstance(part, list):
        return whole + part
    if key in ("content", "text", "arguments", "reasoning"):
        return whole + part
    return whole if whole == part else part


def _by_index(value: Any) -> Any:
    """Lists whose entries have an index, such as choices, by that index."""
    if isinstance(value, Mapping):
        return {name: _by_index(item) for name, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "index" in item for item in value):
        found: dict[str, Any] = {}
        for item in value:
            found[str(item["index"])] = _merged(found.get(str(item["index"])), item)
        return found
    return value


def readable(value: Any) -> str:
    """For a failure."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
