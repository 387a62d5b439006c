"""How prompts were made of conversations before engines had chat templates, restated as plainly as Python says it."""

from collections.abc import Mapping, Sequence
from typing import Any

Message = dict[str, Any]


class RefusedConversationError(Exception):
    """A conversation with two system messages."""


def rayllm_prompt(written: Mapping[str, Any], messages: Sequence[Message]) -> str:
    """What RayLLM 0.3 to 0.5 made of a conversation (`rayllm/common/models.py`); `written` is the `prompt_format` of a
    model file. A tool's message is left out."""
    systems = [message["content"] for message in messages if message["role"] == "system"]
    if len(systems) > 1:
        raise RefusedConversationError
    default = written.get("default_system_message", "")
    tags_always = written.get("add_system_tags_even_if_message_is_empty", False)
    system_in_user = written.get("system_in_user", False)
    system = systems[0] if systems else None
    if system is None and (default or tags_always):
        system = default

    def strip(text: str) -> str:
        return text.strip() if written.get("strip_whitespace", True) else text

    parts = []
    if system is not None and not system_in_user and (system or tags_always):
        parts.append(written["system"].format(instruction=strip(system)))
    for message in messages:
        content = strip(message["content"] or "")
        if message["role"] == "assistant":
            parts.append(written["assistant"].format(instruction=content))
        elif message["role"] == "user" and system_in_user:
            tagged = "" if system is None else written["system"].format(instruction=system)
            parts.append(written["user"].format(instruction=content, system=tagged))
            system = None
        elif message["role"] == "user":
            parts.append(written["user"].format(instruction=content))
    return "".join([*parts, written["trailing_assistant"]])


def aviary_prompt(written: Any, messages: Sequence[Message]) -> str:
    """What Aviary 0.0.1 to 0.2.0 made of a conversation. One format string took one question, the last."""
    if not isinstance(written, Mapping):
        questions = [message["content"] for message in messages if message["role"] == "user"]
        return (written or "{instruction}").format(instruction=questions[-1]) if questions else ""
    systems = [message["content"] for message in messages if message["role"] == "system"]
    if len(systems) > 1:
        raise RefusedConversationError
    rest = [message for message in messages if message["role"] in ("user", "assistant")]
    parts = [written["system"].format(instruction=(systems or [written.get("default_system_message", "")])[0])]
    parts += [written[message["role"]].format(instruction=message["content"]) for message in rest]
    return "".join([*parts, written["trailing_assistant"]])
