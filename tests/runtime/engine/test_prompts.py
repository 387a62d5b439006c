"""Which templates are those of a `prompt_format`, and that the engine knows them."""

import pytest

from reconciler.registry.prompt_format import chat_template
from runtime.engine.prompts import without_beginning
from tests.registry.test_prompt_format import CHAT_ML, LLAMA
from tests.support.original_prompts import rayllm_prompt


@pytest.mark.parametrize("prompt_format", [CHAT_ML, LLAMA, CHAT_ML.model_copy(update={"single_turn": True})])
def test_the_template_of_a_prompt_format_is_known_by_its_end(prompt_format) -> None:  # type: ignore[no-untyped-def]
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    template = without_beginning(chat_template(prompt_format))
    assert template is not None
    messages = [{"role": "user", "content": "<s> Hi "}]
    rendered = ImmutableSandboxedEnvironment(trim_blocks=True).from_string(template).render(messages=messages)
    assert rendered == ImmutableSandboxedEnvironment().from_string(chat_template(prompt_format)).render(
        messages=messages
    )
    if not prompt_format.single_turn:
        assert rendered == rayllm_prompt(prompt_format.model_dump(), messages)


@pytest.mark.parametrize("template", [None, "", "{{ bos_token }}{{ messages }}", "{{ prompt }}", "template.jinja"])
def test_any_other_template_is_left_alone(template: str | None) -> None:
    assert without_beginning(template) is None
