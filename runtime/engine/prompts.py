"""The prompts of a model with a `prompt_format`, token for token as RayLLM and Aviary sent them to their engines.

They formatted a conversation and had the tokenizer encode the text as it encodes any text, so that its own settings
said whether a beginning-of-sequence token goes in front. vLLM tokenises a rendered chat without special tokens; for
that the template of a `prompt_format` ends by emitting the tokenizer's `bos_token`. That is nearly the same: not every
tokenizer that has such a token puts it in front, and some (Llama's) take what follows a written `<s>` for the middle of
a text and split it in another way.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vllm.renderers import BaseRenderer, ChatParams, TokenizeParams

BEGINNING = "{%- if bos_token and not prompt.startswith(bos_token) -%}{{ bos_token }}{%- endif -%}"
"""What makes a template one of a `prompt_format`: it ends with this, and with the prompt (`registry.prompt_format`)."""

_PROMPT = "{{ prompt }}"


def without_beginning(template: str | None) -> str | None:
    """The template of a `prompt_format` that renders the text alone; None for any other template."""
    if template is None or not template.endswith(BEGINNING + _PROMPT):
        return None
    return template.removesuffix(BEGINNING + _PROMPT) + _PROMPT


def have_tokenizer_begin(renderer: "BaseRenderer") -> None:
    """Have a renderer of vLLM's encode what the template of a `prompt_format` renders with the tokenizer's special
    tokens, whichever endpoint asks. What other templates render is encoded as ever."""
    render = renderer.render_chat_async

    async def render_chat_async(
        conversations: Sequence[Any],
        chat_params: "ChatParams",
        tok_params: "TokenizeParams | None" = None,
        **others: Any,
    ) -> Any:
        template = without_beginning(chat_params.chat_template)
        if template is not None:
            chat_params = replace(chat_params, chat_template=template)
            tok_params = replace(tok_params or renderer.default_chat_tok_params, add_special_tokens=True)
        return await render(conversations, chat_params, tok_params, **others)

    renderer.render_chat_async = render_chat_async
