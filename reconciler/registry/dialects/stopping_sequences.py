"""`stopping_sequences`, which once could be token ids in quotes and sequences of token ids."""

from typing import Any

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

STOPPING_SEQUENCES: KeyPath = ("engine_config", "generation", "stopping_sequences")
"""Where they stand in the canonical form."""


def translate_stopping_sequences(translator: Translator, source: KeyPath) -> None:
    """Carry the list at `source`.

    Every format took what `int()` accepts for a token id, quoted or not, and says so in its documentation; RayLLM 0.3
    to 0.5 then stopped at the number as text, against its own. A list of several is a sequence of tokens; where it is
    of texts alone, the text that they are together. A list of one is what is in it.
    """
    given = translator.get(*source)
    if given is None:
        return
    if not isinstance(given, list):
        translator.copy(source, STOPPING_SEQUENCES)
        return
    items: list[Any] = []
    for item in given:
        stop = _stop(item)
        if stop not in ("", []) and stop not in items:
            items.append(stop)
    reason = None if items == given else "numbers are token ids, quoted or not"
    translator.map(source, STOPPING_SEQUENCES, items, reason)


def _stop(item: Any) -> Any:
    """The item as a stop string, a token id or a sequence; what is none of them stays, for the form to refuse."""
    if isinstance(item, list):
        parts = [_stop(part) for part in item]
        if len(parts) == 1:
            return parts[0]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else parts
    if isinstance(item, bool | float):
        return item
    try:
        return int(item)
    except (TypeError, ValueError):
        return item
