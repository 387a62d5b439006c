"""One model file, in whichever dialect it is written, as an entry of the registry."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.dialects.dialect import CANONICAL, canonical_document, dialect_of
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.document import Document, parse
from reconciler.registry.registry import ModelEntry
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import validate


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What one file holds, as far as it can be told."""

    document: Document | None
    """The file as it was written; None where it is no YAML."""
    translation: Translation | None
    """What becomes of its keys; None for a canonical file, in which each stays what it is."""
    entry: ModelEntry | None
    """The model, not checked yet; None where it does not have the canonical form."""
    diagnostics: tuple[Diagnostic, ...]


def read_model(file: str, content: bytes) -> ModelFile:
    """Read a model file; `file` is its path as people see it."""
    document, diagnostics = parse(file, content)
    if document is None:
        return ModelFile(None, None, None, diagnostics)
    dialect = dialect_of(document)
    if dialect is CANONICAL:
        spec, problems = validate(ModelSpec, document)
        entry = None if spec is None else ModelEntry(file, spec, document.positions)
        return ModelFile(document, None, entry, (*diagnostics, *problems))
    translation = dialect.translate(document)
    translated = canonical_document(document, translation)
    spec, problems = validate(ModelSpec, translated)
    fates = translation.fates
    entry = None if spec is None else ModelEntry(file, spec, translated.positions, translation.dialect, fates)
    found = (*diagnostics, *translation.diagnostics, *_not_said_yet(problems, translation))
    return ModelFile(document, translation, entry, found)


def _not_said_yet(problems: tuple[Diagnostic, ...], translation: Translation) -> Iterator[Diagnostic]:
    """What is missing in a translation that has errors may be what it refused, under a name that the file has not."""
    silent = has_errors(translation.diagnostics)
    return (problem for problem in problems if not (silent and problem.rule == "missing-key"))
