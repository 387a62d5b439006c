"""Which format a model file is written in, and the file in canonical form."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.diagnostics import Position
from reconciler.registry.dialects import anyscale, aviary, canonical, llm_config, opencsg, rayllm, tgi
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath


@dataclass(frozen=True, slots=True)
class Dialect:
    """One format of model files: the name people see, how to tell it, and what becomes of a file in it."""

    name: str
    recognises: Callable[[Document], bool]
    translate: Callable[[Document], Translation]


CANONICAL = Dialect(canonical.NAME, canonical.recognises, canonical.translate)

DIALECTS: tuple[Dialect, ...] = (
    Dialect(aviary.NAME, aviary.recognises, aviary.translate),
    Dialect(opencsg.NAME, opencsg.recognises, opencsg.translate),
    Dialect(tgi.NAME, tgi.recognises, tgi.translate),
    Dialect(anyscale.NAME, anyscale.recognises, anyscale.translate),
    Dialect(rayllm.NAME, rayllm.recognises, rayllm.translate),
    Dialect(llm_config.NAME, llm_config.recognises, llm_config.translate),
    CANONICAL,
)
"""The first one that recognises a file reads it. The canonical form is last: it takes what no other wants."""


def dialect_of(document: Document) -> Dialect:
    """The dialect of a file."""
    return next(dialect for dialect in DIALECTS if dialect.recognises(document))


def canonical_document(document: Document, translation: Translation) -> Document:
    """The translation as a document, each of its keys at the place where its source was written."""
    positions = {**_sections(translation), **translation.positions, (): document.positions[()]}
    unreadable = {document.positions[path] for path in document.refused if path in document.positions}
    refused = frozenset(path for path, position in positions.items() if path and position in unreadable)
    return Document(document.file, translation.value, positions, refused)


def _sections(translation: Translation) -> dict[KeyPath, Position]:
    """Sections that nobody wrote begin where the first key in them was written."""
    found: dict[KeyPath, Position] = {}
    for path, position in translation.positions.items():
        for length in range(1, len(path)):
            found[path[:length]] = min(position, found.get(path[:length], position))
    return found
