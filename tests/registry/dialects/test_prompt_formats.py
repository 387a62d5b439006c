import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.registry.dialects.prompt_formats import (
    PROMPT_FORMAT,
    translate_aviary_format,
    translate_rayllm_format,
    translate_string_format,
)
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.engine_spec import PromptFormat
from reconciler.registry.prompt_format import chat_template
from tests.support.dialects import rules, translator

SOURCE = ("generation", "prompt_format")
PARTS = """
    generation:
      prompt_format:
        system: "<S>{instruction}</S>"
        assistant: "<A>{instruction}</A>"
        trailing_assistant: "<A>"
        user: "<U>{instruction}</U>"
    """


def prompt(found: Translator, *messages: tuple[str, str]) -> str:
    prompt_format = PromptFormat.model_validate(found.value_at(PROMPT_FORMAT))
    template = ImmutableSandboxedEnvironment().from_string(chat_template(prompt_format))
    return template.render(messages=[{"role": role, "content": content} for role, content in messages])


def test_aviary_always_put_a_system_part_first_and_stripped_nothing() -> None:
    found = translator(PARTS)
    translate_aviary_format(found, SOURCE)
    assert prompt(found, ("user", " Hi ")) == "<S></S><U> Hi </U><A>"


def test_rayllm_left_an_empty_system_part_out_and_stripped() -> None:
    found = translator(PARTS)
    translate_rayllm_format(found, SOURCE)
    assert prompt(found, ("user", " Hi ")) == "<U>Hi</U><A>"


def test_rayllm_could_be_told_otherwise() -> None:
    found = translator(PARTS + "    add_system_tags_even_if_message_is_empty: true\n        strip_whitespace: false\n")
    translate_rayllm_format(found, SOURCE)
    assert prompt(found, ("user", " Hi ")) == "<S></S><U> Hi </U><A>"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"Q: {instruction}\\nA: "', "Q:  Bye \nA: "),
        ('"{{{instruction}}}"', "{ Bye }"),
        ('""', " Bye "),
        ("null", " Bye "),
    ],
)
def test_one_format_string_is_for_the_last_question(written: str, expected: str) -> None:
    found = translator(f"generation: {{prompt_format: {written}}}")
    translate_string_format(found, SOURCE)
    assert prompt(found, ("system", "s"), ("user", "Hi"), ("assistant", "Hello"), ("user", " Bye ")) == expected
    assert rules(found.finish()) == []


def test_a_missing_format_of_parts_is_an_error() -> None:
    found = translator("generation: {prompt_format: null}")
    translate_aviary_format(found, SOURCE)
    assert rules(found.finish()) == ["missing-key"]


def test_an_unknown_part_is_an_error() -> None:
    found = translator(PARTS + "    asistant: a\n")
    translate_aviary_format(found, SOURCE)
    assert rules(found.finish()) == ["unknown-key"]
