"""The files that a source names: beside it, or in a folder above it."""

from pathlib import Path

from reconciler.registry.imports.source import Source
from reconciler.registry.source_text import MAX_BYTES

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
"""Files that RayLLM read in a folder; any other is not opened."""

_MAX_FILES = 500


def referenced_files(reference: str, file: str) -> tuple[Source, ...]:
    """The file at a path that the source `file` names, or those of a folder, sorted; none where there is nothing.

    The configs name paths relative to the folder in which the cluster was started, which is not known here: the nearest
    folder on the way up from the source counts.
    """
    if not reference.strip() or "\n" in reference or "\0" in reference:
        return ()
    start = Path(file).parent
    above = [start / Path(*[".."] * steps) if steps else start for steps in range(len(Path(file).resolve().parents))]
    for folder in above:
        found = folder / reference
        try:
            if found.is_dir():
                return _in_folder(found)
            if found.is_file():
                return _read(found)
        except OSError:
            continue
    return ()


def _in_folder(folder: Path) -> tuple[Source, ...]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    return tuple(source for path in paths[:_MAX_FILES] for source in _read(path))


def _read(path: Path) -> tuple[Source, ...]:
    if path.suffix not in _SUFFIXES:
        return ()
    with path.open("rb") as stream:
        return (Source(_shown(path), stream.read(MAX_BYTES + 1)),)


def _shown(path: Path) -> str:
    """The path without the steps that lead up and down again."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != ".." and parts[-1] != path.anchor:
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))
