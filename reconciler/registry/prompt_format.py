"""From a `prompt_format` of format strings to the Jinja chat template that vLLM renders.

The rules are those of RayLLM 0.3 to 0.5 (`rayllm/common/models.py`), which formatted prompts in Python:

- At most one system message, anywhere in the conversation. Without one, `default_system_message` takes its place, if it
  is not empty or `add_system_tags_even_if_message_is_empty` is set.
- It goes first, in `system`; an empty one only with `add_system_tags_even_if_message_is_empty`. With `system_in_user`
  it goes, formatted but never stripped, to `{system}` of the first user message, and later ones get nothing there.
- Every other message is stripped (`strip_whitespace`) and put in the part of its role; tool messages are left out.
- `trailing_assistant` ends the prompt, as it is written: it is no format string.

With `single_turn` the prompt is the last user message in `user` alone: Aviary 0.0.1 to 0.1.0 took one question at a
time (`aviary/backend/server/models.py`).

The tokenizer then put in front of the text what it puts in front of any text. Where the engine of `runtime.engine` runs
the model it does so again (`runtime.engine.prompts` knows the template by its end), so that every token is the original
one. Engines render a chat without the tokenizer's special tokens otherwise; for them the template emits the `bos_token`
itself, unless the tokenizer has none or the prompt begins with it already.
"""

import json
from collections.abc import Mapping
from string import Formatter

from reconciler.registry.engine_spec import PromptFormat

_BEGINNING = "{%- if bos_token and not prompt.startswith(bos_token) -%}{{ bos_token }}{%- endif -%}"


def chat_template(prompt_format: PromptFormat, *, begins: bool = True) -> str:
    """The Jinja chat template that renders conversations as `prompt_format` says. `begins` is False for an engine that
    lets the tokenizer say itself whether a beginning-of-sequence token goes in front.

    Raises ValueError for a part that is no format string; the check `prompt-format-parts` has refused those before.
    """
    return "".join(
        [
            "" if prompt_format.single_turn else _find_system_message(prompt_format),
            "{%- set prompt -%}",
            _last_question(prompt_format) if prompt_format.single_turn else _conversation(prompt_format),
            "{{ " + _literal(prompt_format.trailing_assistant) + " }}",
            "{%- endset -%}",
            _BEGINNING if begins else "",
            "{{ prompt }}",
        ]
    )


def placeholders(part: str) -> frozenset[str]:
    """The names in braces of a format string.

    Raises ValueError, in words for people, for a string that `str.format` refuses and for what has no counterpart in a
    template: positions (`{}`), attributes, conversions (`{a!r}`) and format specifications (`{a:>5}`).
    """
    return frozenset(name for _, name in _parse(part) if name is not None)


def _parse(part: str) -> list[tuple[str, str | None]]:
    """Pairs of literal text and the name that follows it, if any."""
    pairs = []
    try:
        parsed = list(Formatter().parse(part))
    except ValueError as error:
        raise ValueError(f"{str(error)[0].lower()}{str(error)[1:]}") from None
    for text, name, specification, conversion in parsed:
        if name is not None and not name.isidentifier():
            raise ValueError(f"`{{{name}}}` is no name")
        if specification or conversion:
            raise ValueError(f"`{{{name}}}` cannot carry a conversion or a format specification")
        pairs.append((text, name))
    return pairs


def _formatted(part: str, expressions: Mapping[str, str]) -> str:
    """A Jinja expression for the format string with each name replaced by its expression."""
    pieces = []
    for text, name in _parse(part):
        if text:
            pieces.append(_literal(text))
        if name is not None:
            if name not in expressions:
                raise ValueError(f"`{{{name}}}` is not known here")
            pieces.append(expressions[name])
    return " ~ ".join(pieces) or '""'


def _literal(text: str) -> str:
    # Every escape of a JSON string means the same in a Jinja string.
    return json.dumps(text, ensure_ascii=False)


def _strip(prompt_format: PromptFormat) -> str:
    return "|trim" if prompt_format.strip_whitespace else ""


def _content(prompt_format: PromptFormat) -> str:
    # An assistant message that only calls tools has no content.
    return f"((message['content'] or ''){_strip(prompt_format)})"


def _find_system_message(prompt_format: PromptFormat) -> str:
    search = (
        "{%- set system = namespace(content=none) -%}"
        "{%- for message in messages if message['role'] == 'system' -%}"
        "{%- if not loop.first -%}{{ raise_exception('Only one system message can be specified.') }}{%- endif -%}"
        "{%- set system.content = message['content'] -%}"
        "{%- endfor -%}"
    )
    if prompt_format.default_system_message or prompt_format.add_system_tags_even_if_message_is_empty:
        default = _literal(prompt_format.default_system_message)
        search += "{%- if system.content is none -%}{%- set system.content = " + default + " -%}{%- endif -%}"
    return search


def _conversation(prompt_format: PromptFormat) -> str:
    return "".join(
        [
            _system_in_user(prompt_format) if prompt_format.system_in_user else _system_first(prompt_format),
            "{%- for message in messages -%}",
            "{%- if message['role'] == 'user' -%}",
            _user(prompt_format),
            "{%- elif message['role'] == 'assistant' -%}",
            "{{ " + _formatted(prompt_format.assistant, {"instruction": _content(prompt_format)}) + " }}",
            "{%- endif -%}",
            "{%- endfor -%}",
        ]
    )


def _last_question(prompt_format: PromptFormat) -> str:
    text = _formatted(prompt_format.user, {"instruction": _content(prompt_format), "system": '""'})
    return (
        "{%- for message in messages if message['role'] == 'user' -%}"
        "{%- if loop.last -%}{{ " + text + " }}{%- endif -%}"
        "{%- endfor -%}"
    )


def _system_first(prompt_format: PromptFormat) -> str:
    condition = "system.content is not none"
    if not prompt_format.add_system_tags_even_if_message_is_empty:
        condition = "system.content"
    content = f"(system.content{_strip(prompt_format)})"
    text = _formatted(prompt_format.system, {"instruction": content})
    return "{%- if " + condition + " -%}{{ " + text + " }}{%- endif -%}"


def _system_in_user(prompt_format: PromptFormat) -> str:
    """The formatted system message as a variable that the first user message uses up."""
    text = _formatted(prompt_format.system, {"instruction": "system.content"})
    return (
        "{%- set pending = namespace(system='') -%}"
        "{%- if system.content is not none -%}{%- set pending.system = " + text + " -%}{%- endif -%}"
    )


def _user(prompt_format: PromptFormat) -> str:
    expressions = {"instruction": _content(prompt_format)}
    if not prompt_format.system_in_user:
        return "{{ " + _formatted(prompt_format.user, expressions) + " }}"
    text = _formatted(prompt_format.user, {**expressions, "system": "pending.system"})
    return "{{ " + text + " }}{%- set pending.system = '' -%}"
