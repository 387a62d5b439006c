"""Every text of a model file, with its place."""

from collections.abc import Iterator
from typing import Any

from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry


def strings(entry: ModelEntry) -> Iterator[tuple[KeyPath, str]]:
    """The paths and values of all texts that were written."""
    waiting: list[tuple[KeyPath, Any]] = [((), entry.spec.model_dump(mode="json", exclude_unset=True))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            waiting.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(value))
