"""The files of a registry folder: which are read, and which look as if they were but are not."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.quoted import quoted
from reconciler.registry.source_text import MAX_BYTES

CLUSTERS_FOLDER = "clusters"
"""The folder of the cluster files inside a registry."""

POLICIES_FOLDER = "policies"
"""The folder of an organisation's own rules inside a registry."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read: its name without `.yaml`, its path on the disk, and the path as people see it."""

    stem: str
    path: str
    shown: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The YAML files of one folder, by name, and what is wrong with its other entries."""

    position: Position
    """The folder itself."""
    files: tuple[SourceFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def list_folder(root: Path, folder: Path, endings: tuple[str, ...] = (".yaml",)) -> Listing | Diagnostic:
    """What `folder` (the registry `root` itself or one folder in it) holds, or why it cannot be read.

    Hidden entries and files with other endings are left alone.
    """
    try:
        if not _stays_inside(root, folder):
            message = "the folder is a link that leads out of the registry"
            return _refused(folder, "link-out-of-registry", message, "move its files into the registry")
        with os.scandir(folder) as entries:
            found = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except FileNotFoundError:
        message = "the registry folder does not exist"
        return _refused(folder, "no-registry", message, "name another one with `--registry`")
    except NotADirectoryError:
        return _refused(folder, "no-registry", "this is no folder", "name the folder that holds the model files")
    except OSError as error:
        return _refused(folder, "unreadable", f"the folder cannot be read: {_reason(error)}", "check its permissions")
    files: list[SourceFile] = []
    diagnostics: list[Diagnostic] = []
    for entry in found:
        problem = _problem(root, folder, entry)
        if problem is not None:
            diagnostics.append(problem)
        elif entry.name.endswith(endings):
            files.append(SourceFile(entry.name.rpartition(".")[0], entry.path, _shown(folder, entry.name)))
    return Listing(Position(_shown(folder)), tuple(files), tuple(diagnostics))


def read(file: SourceFile) -> bytes | Diagnostic:
    """The content of a file, cut where it is too large anyway, or why it cannot be read."""
    try:
        # A stream for each file costs more than reading it.
        descriptor = os.open(file.path, os.O_RDONLY)
        try:
            # A regular file gives less than is asked for only at its end.
            content = os.read(descriptor, MAX_BYTES + 1)
        finally:
            os.close(descriptor)
        return content
    except OSError as error:
        message = f"the file cannot be read: {_reason(error)}"
        return Diagnostic(Position(file.shown), "unreadable", message, "check its permissions")


def _problem(root: Path, folder: Path, entry: os.DirEntry[str]) -> Diagnostic | None:
    shown = Position(_shown(folder, entry.name))
    lower = entry.name.lower()
    if entry.is_symlink():
        try:
            inside = _stays_inside(root, Path(entry.path))
        except OSError as error:
            message = f"the link cannot be followed: {_reason(error)}"
            return Diagnostic(shown, "unreadable", message, "remove it, or point it at a file of the registry")
        if not inside and lower.endswith((".yaml", ".yml")):
            message = "the file is a link that leads out of the registry"
            return Diagnostic(shown, "link-out-of-registry", message, "copy the file into the registry")
    if entry.is_dir():
        return _folder_problem(root, folder, entry, shown)
    if lower.endswith((".yaml", ".yml")) and not entry.name.endswith(".yaml"):
        name = f"{entry.name.rpartition('.')[0]}.yaml"
        return Diagnostic(shown, "file-extension", "only files that end in `.yaml` are read", f"name it {quoted(name)}")
    if lower.endswith(".yaml") and not entry.is_file():
        return Diagnostic(shown, "unreadable", "this is neither a file nor a folder", "remove it")
    return None


def _folder_problem(root: Path, folder: Path, entry: os.DirEntry[str], shown: Position) -> Diagnostic | None:
    if entry.name.lower().endswith((".yaml", ".yml")):
        return Diagnostic(shown, "unreadable", "this is a folder, not a model file", "rename it")
    if folder == root and entry.name in (CLUSTERS_FOLDER, POLICIES_FOLDER):
        return None
    if any(name.lower().endswith((".yaml", ".yml")) for name in _names(entry.path)):
        message = "the files in this folder are not read"
        return Diagnostic(shown, "folder-not-read", message, "move them up, or rename the folder to begin with `.`")
    return None


def _names(path: str) -> Iterator[str]:
    try:
        yield from (entry.name for entry in Path(path).iterdir())
    except OSError:
        return


def _stays_inside(root: Path, path: Path) -> bool:
    """Whether `path`, links followed, lies in `root`. Raises OSError for a link that leads nowhere."""
    real_root, real_path = os.path.realpath(root, strict=True), os.path.realpath(path, strict=True)
    return real_path == real_root or real_path.startswith(real_root.rstrip(os.sep) + os.sep)


def _refused(folder: Path, rule: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(Position(_shown(folder)), rule, message, hint)


def _shown(folder: Path, name: str = "") -> str:
    path = str(folder) if not name else name if str(folder) == "." else f"{folder}{os.sep}{name}"
    if path.isprintable():
        return path
    # A name that is no UTF-8 has surrogates, which no terminal takes; a line break would end the diagnostic's line.
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in path)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
