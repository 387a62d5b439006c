"""Small sources, and everything that an import says of them as one text."""

from collections.abc import Mapping
from textwrap import dedent

from reconciler.registry.dialects.translation import dotted
from reconciler.registry.imports.git_history import Earlier, History
from reconciler.registry.imports.imported import Imported
from reconciler.registry.imports.source import Source
from reconciler.registry.imports.sources import import_sources


def no_history(file: str) -> tuple[Earlier, ...]:
    """The history of a file that is in no repository."""
    del file
    return ()


def imported(files: Mapping[str, str], *names: str, history: History = no_history) -> Imported:
    """The import of the files of these names, or of all; the others are there to be named by them."""
    sources = {name: Source(name, dedent(text).encode()) for name, text in files.items()}

    def find(reference: str, file: str) -> tuple[Source, ...]:
        del file
        found = sources.get(reference.removeprefix("./"))
        return () if found is None else (found,)

    return import_sources([sources[name] for name in names or files], find, history)


def told(found: Imported) -> str:
    """The files, the fate of each key and the problems."""
    lines: list[str] = []
    for file in found.files:
        lines += [f"== {file.name} from {file.origin}", file.text]
    lines.append("== keys")
    lines += [
        " ".join(
            [f"{fate.position} {dotted(fate.path)}: {fate.fate}"]
            + ([f"-> {fate.target}"] if fate.target else [])
            + ([f"({fate.reason})"] if fate.reason else [])
        )
        for fate in found.fates
    ]
    lines += ["", "== problems"]
    lines += [
        f"{each.position} {each.severity}[{each.rule}] {each.message}" + (f" = {each.hint}" if each.hint else "")
        for each in found.diagnostics
    ]
    return "\n".join(lines) + "\n"


def rules(found: Imported) -> list[tuple[int, str]]:
    """The line and the rule of each problem."""
    return [(each.position.line, each.rule) for each in found.diagnostics]


def text(found: Imported) -> str:
    """The text of the only file."""
    [file] = found.files
    return file.text
