"""The lines of the files that diagnostics point to, without what must not be shown."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from reconciler.apply.evidence import mask
from reconciler.diagnostics import Diagnostic, Position
from reconciler.views.diagnostics_text import SourceLine

_MAX_BYTES = 1024 * 1024


def source_lines(diagnostics: Sequence[Diagnostic]) -> SourceLine:
    """Reads lines for these diagnostics: none that holds a secret, none of a file that is not a plain one."""
    secret = {
        (diagnostic.position.file, diagnostic.position.line)
        for diagnostic in diagnostics
        if diagnostic.rule.startswith("secret")
    }

    read = cache(_lines)

    def line(position: Position) -> str | None:
        lines = read(position.file)
        if (position.file, position.line) in secret or not 0 < position.line <= len(lines):
            return None
        return mask(lines[position.line - 1])

    return line


def _lines(file: str) -> Sequence[str]:
    path = Path(file)
    try:
        # A link may lead to a file that is nobody's business.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return ()
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ()
