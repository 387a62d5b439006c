"""What a model file means, key by key."""

from dataclasses import dataclass, replace
from typing import Any

from reconciler.diagnostics import Diagnostic, Position, Severity, sorted_diagnostics
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.dialects.dialect import CANONICAL
from reconciler.registry.dialects.translation import Fate, KeyFate, Translation, dotted
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.model_file import read_model

_ABOUT_FILE = frozenset({"file-name-convention"})
"""Rules about the file's place in the registry: what is explained may lie anywhere."""


@dataclass(frozen=True, slots=True)
class Added:
    """A canonical key that nobody wrote: what the dialect means where a file says nothing."""

    target: str
    value: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """A file's dialect, the fate of each of its keys in the order they were written, and what was added to them."""

    file: str
    dialect: str | None
    """None where the file cannot be read at all."""
    fates: tuple[KeyFate, ...]
    added: tuple[Added, ...]
    diagnostics: tuple[Diagnostic, ...]


def explain(file: str, content: bytes) -> Explanation:
    """What becomes of each key of a model file. A key with an error is refused, whichever rule found it."""
    found = read_model(file, content)
    checked = () if found.entry is None else check_model(found.entry)
    problems = (*found.diagnostics, *checked)
    diagnostics = sorted_diagnostics(problem for problem in problems if problem.rule not in _ABOUT_FILE)
    if found.document is None:
        return Explanation(file, None, (), (), diagnostics)
    translation = found.translation or CANONICAL.translate(found.document)
    return Explanation(
        file, translation.dialect, _judged(translation, diagnostics), _added(found.document, translation), diagnostics
    )


def _judged(translation: Translation, diagnostics: tuple[Diagnostic, ...]) -> tuple[KeyFate, ...]:
    """The fates, with what validation and the checks refuse refused."""
    errors: dict[Position, Diagnostic] = {}
    for diagnostic in diagnostics:
        if diagnostic.severity is Severity.ERROR and diagnostic.rule != "missing-key":
            errors.setdefault(diagnostic.position, diagnostic)
    return tuple(
        replace(fate, fate=Fate.REFUSED, target=None, reason=errors[fate.position].message)
        if fate.position in errors and fate.fate is not Fate.REFUSED
        else fate
        for fate in translation.fates
    )


def _added(document: Document, translation: Translation) -> tuple[Added, ...]:
    decided = {fate.path for fate in translation.fates}
    written: dict[Position, KeyPath] = {position: path for path, position in document.positions.items()}
    return tuple(
        Added(dotted(target), _value(translation, target))
        for target, position in translation.positions.items()
        if target and not any(written[position][:length] in decided for length in range(1, len(written[position]) + 1))
    )


def _value(translation: Translation, target: KeyPath) -> Any:
    value: Any = translation.value
    for part in target:
        value = value[part]
    return value
