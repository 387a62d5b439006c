import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.registry.engine_spec import PromptFormat
from reconciler.registry.prompt_format import chat_template, placeholders
from tests.support.original_prompts import Message, RefusedConversationError, rayllm_prompt

LLAMA = PromptFormat(
    system="<<SYS>>\n{instruction}\n<</SYS>>\n\n",
    assistant=" {instruction} </s><s>",
    trailing_assistant="",
    user="[INST] {system}{instruction} [/INST]",
    system_in_user=True,
    default_system_message="",
)
CHAT_ML = PromptFormat(
    system="<|im_start|>system\n{instruction}<|im_end|>\n",
    assistant="<|im_start|>assistant\n{instruction}<|im_end|>\n",
    trailing_assistant="<|im_start|>assistant\n",
    user="<|im_start|>user\n{instruction}<|im_end|>\n",
    default_system_message="Be kind.",
)


def refuse(message: str) -> None:
    raise RefusedConversationError(message)


def render(prompt_format: PromptFormat, messages: list[Message], bos_token: str | None = None) -> str:
    """What an engine makes of the template: the environment that transformers and vLLM use."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    return environment.from_string(chat_template(prompt_format)).render(messages=messages, bos_token=bos_token)


def prompt(prompt_format: PromptFormat, messages: list[Message]) -> str:
    """The rules of RayLLM once more."""
    return rayllm_prompt(prompt_format.model_dump(), messages)


TEXT = st.text(st.sampled_from(list("ab{}%# \n\t\\\"'-<>|")) | st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def parts(draw: st.DrawFn, *names: str) -> str:
    pieces = [draw(TEXT).replace("{", "{{").replace("}", "}}") for _ in range(len(names) + 1)]
    shuffled = draw(st.permutations(names))
    return pieces[0] + "".join(f"{{{name}}}{piece}" for name, piece in zip(shuffled, pieces[1:], strict=True))


@st.composite
def prompt_formats(draw: st.DrawFn) -> PromptFormat:
    system_in_user = draw(st.booleans())
    return PromptFormat(
        system=draw(parts("instruction") | st.just("")),
        assistant=draw(parts("instruction")),
        trailing_assistant=draw(TEXT),
        user=draw(parts("instruction", "system") if system_in_user else parts("instruction")),
        default_system_message=draw(TEXT | st.just("")),
        system_in_user=system_in_user,
        add_system_tags_even_if_message_is_empty=draw(st.booleans()),
        strip_whitespace=draw(st.booleans()),
    )


CONVERSATIONS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "user", "assistant", "system", "tool"]), "content": TEXT}),
    max_size=6,
)


@settings(deadline=None)
@given(prompt_formats(), CONVERSATIONS)
def test_the_template_renders_what_the_rules_say(prompt_format: PromptFormat, messages: list[Message]) -> None:
    try:
        expected = prompt(prompt_format, messages)
    except RefusedConversationError:
        with pytest.raises(RefusedConversationError):
            render(prompt_format, messages)
    else:
        assert render(prompt_format, messages) == expected


def test_a_system_message_goes_inside_the_first_user_message() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": " Bye "},
    ]
    expected = "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]"
    assert render(LLAMA, messages) == expected


@settings(deadline=None)
@given(parts("instruction"), st.booleans(), CONVERSATIONS)
def test_a_single_turn_is_the_last_question_alone(user: str, strip: bool, messages: list[Message]) -> None:
    prompt_format = PromptFormat(
        system="", assistant="", trailing_assistant="!", user=user, strip_whitespace=strip, single_turn=True
    )
    questions = [message["content"] for message in messages if message["role"] == "user"]
    last = questions[-1].strip() if strip and questions else questions[-1] if questions else None
    assert render(prompt_format, messages) == ("" if last is None else user.format(instruction=last)) + "!"


def test_the_default_system_message_stands_in_for_a_missing_one() -> None:
    assert render(CHAT_ML, [{"role": "user", "content": "Hi"}]) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


def test_two_system_messages_are_refused() -> None:
    with pytest.raises(RefusedConversationError, match="Only one system message"):
        render(CHAT_ML, [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}])


def test_an_assistant_message_without_content_is_empty_text() -> None:
    messages = [{"role": "assistant", "content": None}]
    assert render(CHAT_ML, messages) == prompt(CHAT_ML, messages)


@pytest.mark.parametrize(
    ("system", "bos_token", "begins"),
    [
        ("{instruction}", "<s>", "<s>Be kind."),
        ("{instruction}", None, "Be kind."),
        ("{instruction}", "", "Be kind."),
        ("<s>{instruction}", "<s>", "<s>Be kind."),
        ("<s>{instruction}", "<bos>", "<bos><s>Be kind."),
    ],
)
def test_the_prompt_begins_with_one_bos_token(system: str, bos_token: str | None, begins: str) -> None:
    prompt_format = CHAT_ML.model_copy(update={"system": system})
    assert render(prompt_format, [{"role": "user", "content": "Hi"}], bos_token).startswith(f"{begins}<|im_start|>")


def test_the_template_is_one_line_so_that_no_engine_takes_it_for_a_path() -> None:
    template = chat_template(LLAMA)
    assert "\n" not in template
    assert template.startswith("{%-")
    assert json.loads(json.dumps(template)) == template


def test_placeholders_are_the_names_in_braces() -> None:
    assert placeholders("{{a}} {system} {instruction}{instruction}") == {"system", "instruction"}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("{instruction", "expected '}' before end of string"),
        ("instruction}", "single '}' encountered in format string"),
        ("{}", "`{}` is no name"),
        ("{0}", "`{0}` is no name"),
        ("{a.b}", "`{a.b}` is no name"),
        ("{instruction!r}", "`{instruction}` cannot carry a conversion or a format specification"),
        ("{instruction:>5}", "`{instruction}` cannot carry a conversion or a format specification"),
    ],
)
def test_a_part_that_has_no_counterpart_in_a_template_is_refused(part: str, reason: str) -> None:
    with pytest.raises(ValueError) as error:
        placeholders(part)
    assert str(error.value) == reason


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="is not known here"):
        chat_template(CHAT_ML.model_copy(update={"user": "{name}"}))
