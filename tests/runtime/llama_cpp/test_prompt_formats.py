"""A prompt format means the same to llama.cpp's own Jinja as to vLLM's: the very same prompt, or the same refusal.

What differs is what counts as white space around a message: llama.cpp strips that of ASCII, and Python every kind.
"""

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.registry.engine_spec import PromptFormat
from reconciler.state.engines.llama_cpp import template
from tests.registry.test_prompt_format import (
    CHAT_ML,
    CONVERSATIONS,
    LLAMA,
    Message,
    RefusedConversationError,
    prompt_formats,
    render,
)
from tests.support.llama_cpp import ask, request, serving
from tests.support.tiny_gguf import build

BLANK = " \t\n\r\x0b\x0c"
SPOKEN = CONVERSATIONS.filter(lambda messages: bool(messages) and all(map(is_plain, messages)))


def is_plain(message: Message) -> bool:
    text = message["content"]
    return text.strip() == text.strip(BLANK)


def rendered(gguf: Path, prompt_format: PromptFormat, conversations: list[list[Message]]) -> list[str | None]:
    """What llama.cpp makes of each; None where it refuses."""

    async def run() -> list[str | None]:
        params = {"chat_template": template(prompt_format), "prefill_assistant": False}
        async with serving(gguf, params=params) as server:
            found = [await server._server.ask("/apply-template", {"messages": each}) for each in conversations]
        return [answer["prompt"] if status == 200 else None for status, answer in found]

    return asyncio.run(run())


def expected(prompt_format: PromptFormat, messages: list[Message]) -> str | None:
    try:
        return render(prompt_format, messages)
    except RefusedConversationError:
        return None


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_prompt_format_renders_the_same(gguf: Path, data: Any) -> None:
    prompt_format = data.draw(
        prompt_formats().filter(lambda drawn: is_plain({"content": drawn.default_system_message}))
    )
    conversations = data.draw(st.lists(SPOKEN, min_size=8, max_size=8))
    assert rendered(gguf, prompt_format, conversations) == [expected(prompt_format, each) for each in conversations]


def test_a_single_turn_is_the_last_question_alone(gguf: Path) -> None:
    single = CHAT_ML.model_copy(update={"single_turn": True})
    turns = (("user", "a"), ("assistant", "b"), ("user", "c"))
    messages = [{"role": role, "content": text} for role, text in turns]
    for prompt_format in (single, CHAT_ML, LLAMA):
        assert rendered(gguf, prompt_format, [messages]) == [render(prompt_format, messages)]


def test_a_control_character_stands_for_itself() -> None:
    plain = CHAT_ML.model_copy(update={"trailing_assistant": 'a\x07b"\\u0007\n'})
    assert '"a\x07b\\"\\\\u0007\\n"' in template(plain)


def test_the_tokenizer_says_whether_a_token_goes_in_front(gguf: Path, tmp_path: Path) -> None:
    adds = build(tmp_path / "adds.gguf", seed=1, add_bos=True)
    plain = CHAT_ML.model_copy(update={"default_system_message": ""})
    begun = plain.model_copy(update={"user": "<s>{instruction}"})

    async def tokens(file: Path, prompt_format: PromptFormat) -> int:
        async with serving(file, params={"chat_template": template(prompt_format)}) as server:
            return int((await ask(server, request()))[1]["usage"]["prompt_tokens"])

    async def run() -> None:
        length = len(render(plain, [{"role": "user", "content": "hi"}]))
        assert [await tokens(file, plain) for file in (gguf, adds)] == [length, length + 1]
        # The text brings it: it is not put there twice.
        length = len(render(begun, [{"role": "user", "content": "hi"}])) - len("<s>") + 1
        assert [await tokens(file, begun) for file in (gguf, adds)] == [length, length]

    asyncio.run(run())
