"""A model that llama.cpp runs, for real: a tiny GGUF file that is written on the spot."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.llama_cpp import ask, request, serving
from tests.support.tiny_gguf import WORD, build

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Ask", "parameters": CITY}}]
CALLED = {"name": "weather", "arguments": '{"city": "Paris"}'}
TOOL_TEMPLATE = """\
{% if tools %}<|system|># Tools
<tools>{% for tool in tools %}
{{ tool | tojson }}{% endfor %}
</tools>
For each call, return a JSON object with the name and the arguments within <tool_call></tool_call>:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call></s>{% endif %}
{%- for message in messages %}
{%- if message.role == "assistant" %}<|assistant|>{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}</s>
{%- else %}<|{{ message.role }}|>{{ message.content }}</s>{% endif %}
{%- endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"""
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>'
"""A call as that template has it."""


def test_what_it_answers(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf) as server:
            status, chat = await ask(server, request(temperature=0))
            assert (status, chat["model"], chat["object"]) == (200, "org/chat", "chat.completion")
            assert chat["usage"]["completion_tokens"] == 4
            assert (await ask(server, request(temperature=0, unknown_field={"a": 1})))[0] == 200
            status, text = await ask(server, request("/v1/completions", prompt="hi", max_tokens=3, seed=1))
            assert (status, len(text["choices"][0]["text"])) == (200, 3)
            status, events = await ask(server, request(stream=True, stream_options={"include_usage": True}))
            assert status == 200
            *found, done = [event.removeprefix("data: ") for event in events.strip().split("\n\n")]
            assert done == "[DONE]"
            assert [json.loads(event)["model"] for event in found] == ["org/chat"] * len(found)
            assert json.loads(found[-1])["usage"]["completion_tokens"] == 4
            assert (await ask(server, request("/v1/responses", input="hi", max_output_tokens=3)))[0] == 200
            messages = [{"role": "user", "content": "hi"}]
            assert (await ask(server, request("/v1/messages", messages=messages, max_tokens=3)))[0] == 200
            await server.check_health()
            work = await server.work()
            assert (work["replica"], work["requests"], work["ongoing"]) == ("r", 6, 0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (request("/tokenize", prompt="hi"), 404, "no `/tokenize`"),
        (request("/v1/embeddings", input="hi"), 501, "embeddings"),
        (request(messages="hi"), 400, "messages"),
        (request(temperature="hot"), 400, "temperature"),
        ({**request(), "body": b"{"}, 400, ""),
        (request("/v1/completions", prompt="x" * 300), 400, "context size"),
    ],
)
def test_what_it_refuses_has_openai_s_shape(gguf: Path, asked: Any, status: int, message: str) -> None:
    async def run() -> None:
        async with serving(gguf) as server:
            found, body = await ask(server, asked)
            assert found == status
            assert set(body["error"]) == {"message", "type", "param", "code"}
            assert message in body["error"]["message"]

    asyncio.run(run())


def test_it_answers_with_vectors_where_it_is_told_to(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf, params={"embedding": True, "pooling_type": "mean"}) as server:
            status, found = await ask(server, request("/v1/embeddings", input=["hi", "there"]))
            assert (status, len(found["data"]), len(found["data"][0]["embedding"])) == (200, 2, 128)

    asyncio.run(run())


def test_each_request_has_the_context_whatever_the_number_of_slots(gguf: Path) -> None:
    async def context(**config: Any) -> int:
        async with serving(gguf, **config) as server:
            _, refused = await ask(server, request("/v1/completions", prompt="x" * 5000))
            return int(refused["error"]["message"].partition("context size (")[2].partition(" ")[0])

    async def run() -> None:
        assert await context(max_total_tokens=512, params={"n_parallel": 1}) == 512
        assert await context(max_total_tokens=512, params={"n_parallel": 3}) == 512
        # llama.cpp rounds it up.
        assert await context(max_total_tokens=300, params={"n_parallel": 2}) == 512
        assert await context(max_total_tokens=None, params={"n_parallel": 2}) == 2048

    asyncio.run(run())


def test_requests_run_side_by_side_and_the_rest_wait(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf, params={"n_parallel": 2}) as server:
            found = await asyncio.gather(*(ask(server, request(seed=number)) for number in range(9)))
            assert [status for status, _ in found] == [200] * 9

    asyncio.run(run())


def test_a_client_that_goes_away_stops_the_generation(gguf: Path) -> None:
    async def run() -> None:
        params = {"n_parallel": 1, "endpoint_metrics": True}
        async with serving(gguf, max_total_tokens=None, params=params) as server:
            asked = request("/v1/completions", prompt="hi", stream=True, ignore_eos=True, max_tokens=2000)
            parts = server.answer(asked)
            for _ in range(3):
                await anext(parts)
            assert (await server.work())["ongoing"] == 1
            await parts.aclose()
            assert (await server.work())["ongoing"] == 0
            # There is one slot, so that an answer comes once it is free.
            assert (await ask(server, request(max_tokens=1)))[0] == 200
            metrics = await asyncio.to_thread(server._llama.handle_metrics)
            assert 0 < generated(str(metrics)) < 2000

    asyncio.run(run())


def generated(metrics: str) -> int:
    """Tokens generated so far."""
    [line] = [line for line in metrics.splitlines() if line.startswith("llamacpp:tokens_predicted_total ")]
    return int(float(line.split()[1]))


def test_an_answer_has_the_form_that_is_asked_for(gguf: Path) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {**schema, "additionalProperties": False}}}

    async def run() -> None:
        async with serving(gguf) as server:
            status, found = await ask(server, request(response_format=wanted, max_tokens=100))
            assert status == 200
            assert set(json.loads(found["choices"][0]["message"]["content"])) == {"x"}

    asyncio.run(run())


def test_a_tool_is_shown_to_the_model_and_its_call_to_the_client(tmp_path: Path) -> None:
    # This model cannot learn to call a tool, but it can be made to say the one word that is a call.
    gguf = build(tmp_path / "calls.gguf", seed=1, word=CALL)
    says = {"tools": TOOLS, "logit_bias": {str(WORD): 100}, "stop": "</tool_call>"}
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": CALLED}]},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]

    async def run() -> None:
        async with serving(gguf, params={"chat_template": TOOL_TEMPLATE}, max_total_tokens=2048) as server:
            _, without = await ask(server, request())
            status, found = await ask(server, request(**says))
            [choice] = found["choices"]
            assert (status, choice["finish_reason"]) == (200, "tool_calls")
            assert [call["function"] for call in choice["message"]["tool_calls"]] == [CALLED]
            assert found["usage"]["prompt_tokens"] > without["usage"]["prompt_tokens"] + 50
            _, stream = await ask(server, request(**says, stream=True))
            lines = [line.removeprefix("data: ") for line in stream.split("\n\n") if line.startswith("data: {")]
            events = [json.loads(line) for line in lines]
            deltas = [call for event in events for call in event["choices"][0]["delta"].get("tool_calls", ())]
            assert "".join(delta["function"].get("name", "") for delta in deltas) == "weather"
            assert json.loads("".join(delta["function"].get("arguments", "") for delta in deltas)) == {"city": "Paris"}
            assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"
            assert (await ask(server, request(messages=history, tools=TOOLS)))[0] == 200

    asyncio.run(run())


def test_terms_of_the_routing_table_are_kept(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf) as server:
            # `<s><|user|>hi</s><|assistant|>`
            for limit, status in ((6, 200), (5, 400)):
                found, body = await ask(server, request(terms={"max_input_tokens": limit}))
                assert found == status
            assert "takes at most 5 input tokens. However, your prompt has 6" in body["error"]["message"]
            limited = {"terms": {"max_input_tokens": 2}, "max_tokens": 1}
            for prompt, status in (("hi", 200), ("hey", 400), ([104, 105, 105], 400), (["hi", "hello"], 400), (5, 400)):
                assert (await ask(server, request("/v1/completions", prompt=prompt, **limited)))[0] == status
            plain = {"prompt": "hi", "max_tokens": 30, "temperature": 0}
            _, whole = await ask(server, request("/v1/completions", **plain))
            text = whole["choices"][0]["text"]
            stop = [ord(text[4]), text[5]]
            for own in (None, "\n", ["\n"]):
                asked = request("/v1/completions", **plain, stop=own, terms={"stop_token_sequences": [stop]})
                _, cut = await ask(server, asked)
                assert cut["choices"][0]["text"] == text[: text.index(text[4:6])]

    asyncio.run(run())


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    file = tmp_path / "chat.gguf"
    file.write_bytes(b"nothing")

    async def run() -> None:
        with pytest.raises(RuntimeError, match=r"llama\.cpp cannot load .*chat\.gguf"):
            async with serving(file):
                pass

    asyncio.run(run())


def test_gpus_that_this_build_cannot_use_are_told_before_anything_is_loaded() -> None:
    from runtime.llama_cpp.server import _started

    with pytest.raises(RuntimeError, match="cannot use: install the one for them"):
        _started({"params": {}}, "org/chat", "/nowhere.gguf", 1.0, 1.0, "key")


def test_nobody_else_on_the_node_is_answered(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf) as server:
            server._server._key = "wrong"
            assert (await ask(server, request()))[0] == 401

    asyncio.run(run())


def test_a_server_that_is_gone_is_no_healthy_one(gguf: Path) -> None:
    async def run() -> None:
        async with serving(gguf) as server:
            server._server._address = "http://127.0.0.1:1"
            with pytest.raises(RuntimeError, match="does not answer"):
                await server.check_health()

    asyncio.run(run())
