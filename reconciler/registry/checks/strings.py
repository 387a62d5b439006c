"""Every text of a model file, with its place."""

from typing import Any

from reconciler.registry.registry import KeyPath, ModelEntry


def strings_with(mark: str, entry: ModelEntry) -> list[tuple[KeyPath, str]]:
    """The paths and values of the texts that contain `mark`, which needs no escape in JSON."""
    # Few files hold any: looking through the JSON first is a tenth of walking through the values.
    if mark not in entry.spec.model_dump_json(exclude_unset=True):
        return []
    found: list[tuple[KeyPath, str]] = []
    waiting: list[tuple[KeyPath, Any]] = [((), entry.spec.model_dump(mode="json", exclude_unset=True))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if mark in value:
                found.append((path, value))
        elif isinstance(value, dict):
            waiting.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(value))
    return found
