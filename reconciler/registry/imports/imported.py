"""What an import found: files for the registry, the fate of every key of the source, and what people should know."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Position, Severity, has_errors, sorted_diagnostics
from reconciler.registry.dialects.translation import Fate, KeyFate, Translator, dotted
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """One model file as it would be written."""

    name: str
    """The file's name by the convention, `<organisation>--<model>.yaml`."""
    text: str
    """The whole file in canonical form, its comments included."""
    model_id: str
    origin: Position
    """Where the source describes the model."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Everything that came of one or several sources."""

    files: tuple[ImportedFile, ...] = ()
    fates: tuple[KeyFate, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a part of the sources could not be carried over."""
        return has_errors(self.diagnostics)


def together(parts: Iterable[Imported]) -> Imported:
    """Several imports as one, sorted. A model that two of them describe is imported from the first."""
    parts = tuple(parts)
    diagnostics = [diagnostic for part in parts for diagnostic in part.diagnostics]
    files: dict[str, ImportedFile] = {}
    for file in (file for part in parts for file in part.files):
        first = files.setdefault(file.name, file)
        if first is not file and first.origin != file.origin:
            diagnostics.append(_described_twice(first, file))
    fates = dict.fromkeys(fate for part in parts for fate in part.fates)
    return Imported(
        tuple(files[name] for name in sorted(files)),
        tuple(sorted(fates, key=lambda fate: (fate.position, [str(part) for part in fate.path]))),
        sorted_diagnostics(diagnostics),
    )


def leave_out(translator: Translator, path: KeyPath, reason: str, hint: str | None = None) -> None:
    """Give a key of the source the fate of what has no place in a model file, with a warning that says why."""
    position = translator.position(path)
    translator.fates[path] = KeyFate(path, position, Fate.OBSOLETE, None, reason)
    translator.warn(position, "left-out", f"`{dotted(path)}` is left out: {reason}", hint)


def refuse_rest(translator: Translator, reason: str, below: KeyPath = ()) -> None:
    """Give every key below a path without a fate that of the whole, which is refused for a reason told already."""
    for path in list(translator.undecided()):
        if path and path[: len(below)] == below:
            translator.fates[path] = KeyFate(path, translator.position(path), Fate.REFUSED, None, reason)


def _described_twice(first: ImportedFile, second: ImportedFile) -> Diagnostic:
    message = f"the model {quoted(second.model_id)} is described at {first.origin} already, which is imported"
    severity = Severity.WARNING if first.text == second.text else Severity.ERROR
    return Diagnostic(second.origin, "described-twice", message, "import one of them", severity)
