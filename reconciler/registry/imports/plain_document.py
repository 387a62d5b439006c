"""Plain data as a document, all of it at one place."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Position
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath


def plain_document(file: str, value: Mapping[str, Any]) -> Document:
    """A document that nobody wrote: every key stands at the start of `file`."""
    position = Position(file)
    return Document(file, value, dict.fromkeys(_paths(value, ()), position), frozenset())


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    yield path
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))
