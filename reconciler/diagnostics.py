"""Problems in what a person wrote, as plain values.

Every layer may produce a `Diagnostic`; only a view prints one and only the command line turns them into an exit code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is. A registry with an error is never planned; a warning is shown and passes."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file a person wrote: the path as shown to the person, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: where it is, which named rule found it, what is wrong and what would mend it."""

    position: Position
    rule: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def sort_key(self) -> tuple[Position, str, str]:
        """The order every view uses: file, line, column, rule, message."""
        return (self.position, self.rule, self.message)


def sorted_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics without repetitions, in the order every view uses."""
    return tuple(sorted(set(diagnostics), key=lambda diagnostic: diagnostic.sort_key))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of the diagnostics forbids going on."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
