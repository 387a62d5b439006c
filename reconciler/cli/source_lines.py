"""The lines of the files that diagnostics point to, without what must not be shown."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.mask import mask
from reconciler.views.diagnostics_text import SourceLine

_MAX_BYTES = 1024 * 1024


def source_lines(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str] | None = None) -> SourceLine:
    """Reads lines for these diagnostics: none that holds a secret, none of a file that is not a plain one. Files that
    do not lie on the disk are given with their `texts`."""
    secret = {
        (diagnostic.position.file, diagnostic.position.line)
        for diagnostic in diagnostics
        if diagnostic.rule.startswith("secret")
    }

    read = cache(_lines) if texts is None else lambda file: texts.get(file, "").split("\n")

    def line(position: Position) -> tuple[str, int] | None:
        lines = read(position.file)
        if (position.file, position.line) in secret or not 0 < position.line <= len(lines):
            return None
        return _masked(lines[position.line - 1], position.column)

    return line


def _masked(line: str, column: int) -> tuple[str, int] | None:
    """The line without secrets and where the column is then; None where a secret stands on both sides of it."""
    text, before, rest = mask(line), line[: column - 1], line[column - 1 :]
    if text.startswith(before):
        return text, column
    return (text, len(text) - len(rest) + 1) if text.endswith(rest) else None


def _lines(file: str) -> Sequence[str]:
    path = Path(file)
    try:
        # A link may lead to a file that is nobody's business.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return ()
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ()
