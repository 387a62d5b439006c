"""From a model in canonical form to its file, checked as the registry will check it."""

from collections.abc import Iterable
from pathlib import PurePath

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.dialects.dialect import canonical_document
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.document import Document
from reconciler.registry.imports.canonical_yaml import canonical_yaml
from reconciler.registry.imports.imported import Imported, ImportedFile
from reconciler.registry.registry import ModelEntry
from reconciler.registry.secret import find_secrets
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import validate


def checked_file(document: Document, translation: Translation, comments: Iterable[str]) -> Imported:
    """The file of one model with its fates, or no file where something in the source is an error.

    Problems that the checks find are told at the source's lines. `comments` say where the model came from.
    """
    diagnostics = list(translation.diagnostics)
    canonical = canonical_document(document, translation)
    spec, problems = validate(ModelSpec, canonical)
    # What was refused in the source is missing now; that needs no second word.
    if not has_errors(diagnostics):
        diagnostics.extend(problems)
    if spec is not None:
        entry = ModelEntry(file_name(spec.model_id), spec, canonical.positions)
        diagnostics.extend(check_model(entry))
    if spec is None or has_errors(diagnostics):
        return Imported((), translation.fates, tuple(diagnostics))
    text = canonical_yaml(translation.value, comments)
    if find_secrets(text):
        message, hint = "the model holds what looks like a token", "write `${env:NAME}` in its place in the source"
        secret = Diagnostic(canonical.positions[()], "secret-in-clear", message, hint)
        return Imported((), translation.fates, (*diagnostics, secret))
    file = ImportedFile(file_name(spec.model_id), text, spec.model_id, canonical.positions[()])
    return Imported((file,), translation.fates, tuple(diagnostics))


def file_name(model_id: str) -> str:
    """The name of a model's file by the convention."""
    return f"{model_id.replace('/', '--')}.yaml"


def shown_in_comment(file: str) -> str:
    """A source's path for a comment: the same on every machine."""
    path = PurePath(file)
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
