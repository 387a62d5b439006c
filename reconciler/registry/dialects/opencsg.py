"""OpenCSG's llm-inference (2024), which went on from the first Aviary: the section `model_conf`."""

import json
from string import Formatter
from typing import Any

from reconciler.registry.dialects.autoscaling import AVIARY
from reconciler.registry.dialects.aviary import translate_model
from reconciler.registry.dialects.envelope import translate_envelope
from reconciler.registry.dialects.registry_keys import translate_registry_keys
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

NAME = "OpenCSG `model_conf`"

_SECTION: KeyPath = ("model_conf",)


def recognises(document: Document) -> bool:
    """Whether the file has the section that no other format has."""
    return "model_conf" in document.value


def translate(document: Document) -> Translation:
    """The file in canonical form."""
    translator = Translator(NAME, document)
    translate_envelope(translator, autoscaling=AVIARY, max_ongoing_requests=None)
    _translate_task(translator, (*_SECTION, "model_task"))
    if translator.has((*_SECTION, "warmup")):
        translator.drop((*_SECTION, "warmup"), "vLLM warms itself up")
    _translate_conversation(translator, (*_SECTION, "generation", "prompt_format"))
    translate_registry_keys(translator)
    translate_model(translator, _SECTION, continuous=False, vllm=True)
    return translator.finish()


def _translate_task(translator: Translator, path: KeyPath) -> None:
    task = translator.get(*path)
    if task == "text-generation":
        translator.keep(path, "it is what a model of `VLLMEngine` does")
    elif task is not None:
        message = f"the task {quoted(task)} is not served: a model generates text or makes embeddings"
        translator.refuse(path, "unsupported-task", message)


def _translate_conversation(translator: Translator, path: KeyPath) -> None:
    """Decide about a format that is a conversation in JSON: the tokenizer's own chat template formatted it."""
    conversation = _conversation(translator.get(*path))
    if conversation is None:
        return
    if [message.get("role") for message in conversation] == ["user"]:
        translator.drop(path, "the tokenizer's own chat template formats conversations")
    else:
        message = "`prompt_format` is a conversation for the tokenizer's own chat template, with messages of its own"
        hint = "remove it, and let requests bring their system message, or write a `prompt_format` of parts"
        translator.refuse(path, "prompt-format-parts", message, hint)


def _conversation(prompt_format: Any) -> list[dict[str, Any]] | None:
    """The messages of a format that is JSON once its doubled braces are undone."""
    try:
        messages = json.loads("".join(text for text, *_ in Formatter().parse(str(prompt_format))))
    except (ValueError, RecursionError):
        return None
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        return None
    return messages
