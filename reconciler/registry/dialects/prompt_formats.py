"""`prompt_format` in every generation, as the canonical form has it.

Aviary 0.0.1 to 0.1.0 had one format string, for one question at a time. Aviary 0.1.1 to 0.2.0 had a part for each role,
always put the system part first and never stripped a message. RayLLM 0.3 to 0.5 named those two choices and made the
opposite ones the default; the canonical form is theirs.
"""

from collections.abc import Mapping

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

PROMPT_FORMAT: KeyPath = ("engine_config", "generation", "prompt_format")
"""Where it stands in the canonical form."""

_PARTS = ("system", "assistant", "trailing_assistant", "user", "default_system_message")
_CHOICES = ("system_in_user", "add_system_tags_even_if_message_is_empty", "strip_whitespace")


def translate_string_format(translator: Translator, source: KeyPath) -> None:
    """Carry one format string around `{instruction}`. None, null or an empty one is the question as it was asked."""
    text, user = translator.get(*source), (*PROMPT_FORMAT, "user")
    if text is None:
        translator.put(user, "{instruction}", translator.position(source))
    elif text == "":
        translator.map(source, user, "{instruction}", "the prompt is the last question as it is")
    else:
        translator.map(source, user, text, "it formats the last question alone, whatever was said before")
    position = translator.position(source)
    for part in ("system", "assistant", "trailing_assistant"):
        translator.put((*PROMPT_FORMAT, part), "", position)
    translator.put((*PROMPT_FORMAT, "single_turn"), True, position)
    translator.put((*PROMPT_FORMAT, "strip_whitespace"), False, position)


def translate_aviary_format(translator: Translator, source: KeyPath) -> None:
    """Carry the parts of Aviary 0.1.1 to 0.2.0, which rendered as the two choices of RayLLM written here do."""
    _translate_parts(translator, source)
    position = translator.position(source)
    translator.put((*PROMPT_FORMAT, "add_system_tags_even_if_message_is_empty"), True, position)
    translator.put((*PROMPT_FORMAT, "strip_whitespace"), False, position)


def translate_rayllm_format(translator: Translator, source: KeyPath) -> None:
    """Carry the parts and choices of RayLLM 0.3 to 0.5."""
    _translate_parts(translator, source)
    for choice in _CHOICES:
        translator.copy((*source, choice), (*PROMPT_FORMAT, choice))


def _translate_parts(translator: Translator, source: KeyPath) -> None:
    value = translator.get(*source)
    if value is None or value == {}:
        message, hint = "`prompt_format` is missing", "write how each role's messages are put in the prompt"
        translator.report(translator.position(source), "missing-key", message, hint)
    for part in _PARTS:
        translator.copy((*source, part), (*PROMPT_FORMAT, part))


def is_string_format(translator: Translator, source: KeyPath) -> bool:
    """Whether there is one format string, or none at all, rather than a part for each role."""
    return not isinstance(translator.get(*source), Mapping)
