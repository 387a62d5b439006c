"""`stopping_sequences`, which once could be token ids in quotes and sequences of token ids."""

from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import KeyPath

STOPPING_SEQUENCES: KeyPath = ("engine_config", "generation", "stopping_sequences")
"""Where they stand in the canonical form."""


def translate_stopping_sequences(translator: Translator, source: KeyPath, *, ids_are_text: bool = False) -> None:
    """Carry the list at `source`.

    Every format took what `int()` accepts for a token id, quoted or not. `ids_are_text`: it then stopped at the number
    as text (RayLLM 0.3 to 0.5) instead of at the token. A sequence of several ids is refused: only the tokenizer knows
    its text.
    """
    given = translator.get(*source)
    if given is None:
        return
    if not isinstance(given, list):
        translator.copy(source, STOPPING_SEQUENCES)
        return
    items: list[Any] = []
    sequences: list[Any] = []
    for item in given:
        only = item[0] if isinstance(item, list) and len(item) == 1 else item
        if isinstance(only, list):
            sequences.append(only)
        elif only != "" and _stop(only, ids_are_text) not in items:
            items.append(_stop(only, ids_are_text))
    if sequences:
        message = f"{quoted(sequences[0])} is a sequence of tokens, and only the tokenizer knows its text"
        translator.refuse(source, "token-sequence", message, "write the text at which the model is to stop")
        return
    reason = None
    if items != given:
        reason = "numbers are text here" if ids_are_text else "numbers are token ids, quoted or not"
    translator.map(source, STOPPING_SEQUENCES, items, reason)


def _stop(item: Any, ids_are_text: bool) -> Any:
    """The item as a stop string or a token id; what is neither stays, for the form to refuse."""
    if isinstance(item, bool | float):
        return item
    try:
        number = int(item)
    except (TypeError, ValueError):
        return item
    return str(number) if ids_are_text else number
