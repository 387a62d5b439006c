"""Diagnostics for people: where, which rule, what, the source line with the place underlined, and a hint."""

from collections.abc import Callable, Sequence

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.views.printable import columns, plural, printable
from reconciler.views.style import PLAIN, Style

SourceLine = Callable[[Position], tuple[str, int] | None]
"""The line of a file that a position names and the column in it, or None where it is not to be shown."""

_WINDOW = 100
"""Characters of a long source line that are shown around the place."""


def diagnostics_text(diagnostics: Sequence[Diagnostic], source_line: SourceLine, style: Style = PLAIN) -> str:
    """All diagnostics, an empty line between them."""
    return "\n".join(_one(diagnostic, source_line, style) for diagnostic in diagnostics)


def summary_line(diagnostics: Sequence[Diagnostic], models: int | None, clusters: int | None, waived: int = 0) -> str:
    """The last line: how many problems, and in what where that is known."""
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    warnings = len(diagnostics) - errors
    of = "" if models is None or clusters is None else f" in {plural(models, 'model')}, {plural(clusters, 'cluster')}"
    of += f" ({waived} waived)" if waived else ""
    if not diagnostics:
        return f"No problems{of}"
    return ", ".join(plural(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count) + of


def _one(diagnostic: Diagnostic, source_line: SourceLine, style: Style) -> str:
    paint = style.red if diagnostic.severity is Severity.ERROR else style.yellow
    where = style.bold(printable(str(diagnostic.position)))
    kind = paint(f"{diagnostic.severity.value}[{diagnostic.rule}]")
    lines = [f"{where}: {kind}: {printable(diagnostic.message)}"]
    source, column = source_line(diagnostic.position) or ("", 1)
    margin = " " * len(str(diagnostic.position.line))
    if source.strip():
        text, mark = _underlined(source, column)
        number = style.dim(f"{diagnostic.position.line} |")
        lines += [f" {number} {text}", f" {margin} {style.dim('|')} {paint(mark)}"]
    if diagnostic.hint:
        lines.append(f" {margin} {style.dim('=')} hint: {printable(diagnostic.hint)}")
    return "\n".join(lines) + "\n"


def _underlined(source: str, column: int) -> tuple[str, str]:
    """The printable source line, cut around the place where it is long, and the line of carets below it."""
    start = min(max(column - 1, 0), len(source))
    end = start + _length(source[start:])
    left = max(0, min(start - _WINDOW // 4, len(source) - _WINDOW))
    right = left + _WINDOW
    head, tail = ("…" if left else ""), ("…" if right < len(source) else "")
    before = head + printable(source[left:start].replace("\t", "    "))
    marked = printable(source[start : min(end, right)].replace("\t", "    "))
    rest = printable(source[min(end, right) : right].replace("\t", "    ")) + tail
    return (before + marked + rest).rstrip(), " " * columns(before) + "^" * max(columns(marked), 1)


def _length(text: str) -> int:
    """How much of the text from the place on is meant: a quoted string, or the key or value up to its end."""
    if text[:1] in ("'", '"'):
        closing = text.find(text[0], 1)
        return len(text) if closing < 0 else closing + 1
    ends = [found for found in (text.find(": "), text.find(" #"), text.find(", ")) if found > 0]
    return len(text[: min(ends, default=len(text))].rstrip().removesuffix(":"))
