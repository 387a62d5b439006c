"""Where imported files go in a registry: beside what is there, never over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.imports.imported import Imported, ImportedFile
from reconciler.registry.quoted import quoted


class Place(StrEnum):
    """What is to be done with one file."""

    NEW = "new"
    UNCHANGED = "unchanged"
    """It is there and holds the same."""
    TAKEN = "taken"
    """Something else is there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One imported file and whether it can be written."""

    file: ImportedFile
    path: str
    place: Place


def place_files(
    imported: Imported,
    path: Callable[[str], str],
    read: Callable[[str], bytes | None],
    registered: Mapping[str, str],
) -> tuple[tuple[Placed, ...], tuple[Diagnostic, ...]]:
    """Each file with its place, and why some cannot be written.

    `path` is where a file of a name would be, `read` its content, None where nothing is there, and `registered` the
    files of the models that the registry has, by model id.
    """
    placed: list[Placed] = []
    problems: list[Diagnostic] = []
    for file in imported.files:
        where = path(file.name)
        there = read(where)
        if there == file.text.encode():
            placed.append(Placed(file, where, Place.UNCHANGED))
        elif there is not None:
            message = "the file is there already with another content, and is not overwritten"
            hint = "move it away, or import into another folder with `--into`"
            problems.append(Diagnostic(Position(where), "file-exists", message, hint))
            placed.append(Placed(file, where, Place.TAKEN))
        elif file.model_id in registered:
            message = f"the registry has the model {quoted(file.model_id)} in this file already"
            hint = "compare with `--dry-run`, and change the file by hand"
            problems.append(Diagnostic(Position(registered[file.model_id]), "file-exists", message, hint))
            placed.append(Placed(file, where, Place.TAKEN))
        else:
            placed.append(Placed(file, where, Place.NEW))
    return tuple(placed), tuple(problems)
