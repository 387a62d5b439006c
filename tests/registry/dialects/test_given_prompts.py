"""The prompts of Aviary's real model files, against its own rules in a few lines of Python."""

from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st
from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.registry.document import parse
from reconciler.registry.model_file import read_model
from reconciler.registry.prompt_format import chat_template
from tests.support.dialects import INPUTS
from tests.support.original_prompts import Message, aviary_prompt

if not INPUTS.is_dir():
    pytest.skip("there are no given files", allow_module_level=True)

Messages = list[Message]

TEXT = st.text(st.sampled_from(list("ab{}% \n\t<|")) | st.characters(exclude_categories=["Cs"]), max_size=12)
TURNS = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT}), max_size=5)
SYSTEM = st.lists(st.fixed_dictionaries({"role": st.just("system"), "content": TEXT}), max_size=1)


def formats() -> dict[str, tuple[Any, Template]]:
    """Each format that Aviary's files hold, and the template that it becomes."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    found = {}
    for path in sorted(INPUTS.glob("ray-llm/**/*.yaml")):
        document, _ = parse("given.yaml", path.read_bytes())
        section = {} if document is None else document.value.get("model_config") or document.value.get("engine_config")
        if not section or not ("model_config" in document.value or "scheduler" in section):
            continue
        entry = read_model("given.yaml", path.read_bytes()).entry
        written = section["generation"].get("prompt_format")
        if entry is not None:
            prompt_format = entry.spec.engine_config.generation.prompt_format
            assert prompt_format is not None
            found[repr(written)] = (written, environment.from_string(chat_template(prompt_format)))
    return found


FORMATS = formats()


def test_there_are_many_formats() -> None:
    assert len(FORMATS) > 10
    assert {type(written) for written, _ in FORMATS.values()} == {str, dict}


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=60)
@given_any(turns=TURNS, system=SYSTEM, place=st.integers(0, 5))
def test_the_prompt_is_the_one_of_aviary(name: str, turns: Messages, system: Messages, place: int) -> None:
    written, template = FORMATS[name]
    messages = [*turns[:place], *system, *turns[place:]]
    assert template.render(messages=messages) == aviary_prompt(written, messages)
