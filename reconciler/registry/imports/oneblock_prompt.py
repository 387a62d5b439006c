"""`promptFormat` of OneBlock, with the parts that its controller filled in where one was left empty.

The controller's own text held the two characters `\\n` where line breaks were meant; here they are line breaks. It took
`systemInUser: false` and `stripWhitespace: false` for nothing given; here they count.
"""

from collections.abc import Mapping

from reconciler.registry.dialects.prompt_formats import PROMPT_FORMAT
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

_PARTS: Mapping[str, tuple[str, str]] = {
    "system": ("system", "<<SYS>>\n{instruction}\n<</SYS>>\n\n"),
    "assistant": ("assistant", " {instruction} </s><s>"),
    "trailingAssistant": ("trailing_assistant", ""),
    "user": ("user", "[INST] {system}{instruction} [/INST]"),
    "defaultSystemMessage": ("default_system_message", ""),
}
"""The canonical name of each part, and what it was where it was empty: the format of Llama 2."""

_CHOICES: Mapping[str, str] = {
    "systemInUser": "system_in_user",
    "addSystemTagsEvenIfMessageIsEmpty": "add_system_tags_even_if_message_is_empty",
    "stripWhitespace": "strip_whitespace",
}


def translate_prompt_format(translator: Translator, source: KeyPath) -> None:
    """Carry the prompt format. Parts that are not given are those of Llama 2, which is told."""
    implied = [key for key, (_, default) in _PARTS.items() if default and not translator.get(*source, key)]
    position = translator.position(source)
    for key, (target, default) in _PARTS.items():
        if translator.get(*source, key):
            translator.copy((*source, key), (*PROMPT_FORMAT, target))
        else:
            if translator.has((*source, key)):
                translator.keep((*source, key), "it is empty")
            translator.put((*PROMPT_FORMAT, target), default, position)
    user = str(translator.value_at(PROMPT_FORMAT)["user"])
    translator.put((*PROMPT_FORMAT, "system_in_user"), "{system}" in user, position)
    for key, target in _CHOICES.items():
        translator.copy((*source, key), (*PROMPT_FORMAT, target))
    if implied:
        message = f"OneBlock filled in the prompt format of Llama 2 for {', '.join(f'`{key}`' for key in implied)}"
        hint = "remove `prompt_format` from the file for the model's own chat template"
        translator.warn(position, "implied-prompt-format", message, hint)
