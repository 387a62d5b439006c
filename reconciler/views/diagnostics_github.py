"""Diagnostics as GitHub workflow commands, which appear beside the lines of a pull request.

The escapes are those of the runner's own toolkit: `%`, CR and LF everywhere, `:` and `,` in properties as well.
"""

from collections.abc import Sequence

from reconciler.diagnostics import Diagnostic


def diagnostics_github(diagnostics: Sequence[Diagnostic]) -> str:
    """One workflow command per diagnostic."""
    return "".join(_command(diagnostic) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    position = diagnostic.position
    message = diagnostic.message + (f"\nhint: {diagnostic.hint}" if diagnostic.hint else "")
    return (
        f"::{diagnostic.severity.value} file={_property(position.file)},line={position.line},col={position.column},"
        f"title={_property(diagnostic.rule)}::{_data(message)}\n"
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
