"""One model file in canonical form."""

from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Severity, sorted_diagnostics
from reconciler.registry.dialects.translation import Fate
from reconciler.registry.document import Document, parse
from reconciler.registry.model_file import ModelFile, read_model


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one file."""

    file: str
    dialect: str
    """The one it was written in."""
    text: str | None
    """The file in canonical form; None where it is canonical already, or refused."""
    dropped: int
    """How many of its keys mean nothing today."""
    diagnostics: tuple[Diagnostic, ...]
    """Why it is refused."""


class ChangedMeaning(Exception):
    """The rewritten file would not mean what the file means. Nothing may be written then."""


def migrate(file: str, content: bytes) -> Migrated:
    """Rewrite a model file, its comments, its order and its quoting kept wherever a key survives.

    Raises ChangedMeaning when the result, read again, is not the same model in canonical form.
    """
    found = read_model(file, content)
    dialect = "canonical" if found.translation is None else found.translation.dialect
    errors = [diagnostic for diagnostic in found.diagnostics if diagnostic.severity is Severity.ERROR]
    if errors or found.translation is None or found.document is None:
        return Migrated(file, dialect, None, 0, sorted_diagnostics(errors))
    text = _rewritten(content, found.document, found)
    _compare(found, read_model(file, text.encode()))
    dropped = sum(fate.fate is Fate.OBSOLETE for fate in found.translation.fates)
    return Migrated(file, dialect, text, dropped, ())


def _rewritten(content: bytes, document: Document, found: ModelFile) -> str:
    # What only a migration needs; ruamel.yaml alone takes longer to import than a registry to read.
    from reconciler.registry.migration.annotate import annotate
    from reconciler.registry.migration.comments import split
    from reconciler.registry.migration.correspondence import Correspondence
    from reconciler.registry.migration.rewrite import rewrite

    assert found.translation is not None
    correspondence = Correspondence.of(found.translation)
    parts = split(content.decode().replace("\r\n", "\n"), document.positions)
    bare = rewrite(parts.text, document, found.translation, correspondence)
    written, problems = parse(document.file, bare.encode())
    if written is None:
        raise ChangedMeaning("; ".join(problem.message for problem in problems))
    return annotate(bare, written, parts.comments, correspondence)


def _compare(before: ModelFile, after: ModelFile) -> None:
    if after.translation is not None or before.entry is None or after.entry is None:
        raise ChangedMeaning("the result is not canonical")
    if before.entry.spec != after.entry.spec:
        raise ChangedMeaning("the result says something else")
