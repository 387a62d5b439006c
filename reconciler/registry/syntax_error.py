"""What libyaml says about a file that is no YAML, in words that help."""

from yaml.error import MarkedYAMLError

from reconciler.diagnostics import Diagnostic, Position

_HINTS = {
    "mapping values are not allowed": "quote a value that holds `: `, or check the indentation",
    "did not find expected key": "check the indentation and the quotes of this line and those before it",
    "could not find expected ':'": "a key needs `: ` behind it; text of several lines needs quotes or `|`",
    "cannot start any token": "quote a value that begins with a special character",
    "did not find expected ',' or": "close the brackets, and quote text that begins with `[` or `{`",
    "found incompatible YAML document": "remove the line that begins with `%YAML`",
    "found unexpected end of stream": "a quote is not closed",
    "did not find expected alphabetic or numeric character": "quote text that begins with `*` or `&`",
}
_DEFAULT_HINT = "check the indentation, and quote text with special characters"


def syntax_error(file: str, text: str, error: MarkedYAMLError) -> Diagnostic:
    """The diagnostic for an error of the parser."""
    mark, problem = error.problem_mark, str(error.problem)
    assert mark is not None, "libyaml gives every error a place"
    position = Position(file, mark.line + 1, mark.column + 1)
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: mark.column + 1].strip(" ").startswith("\t"):
        return Diagnostic(position, "tab-indentation", "a tab stands in the indentation", "indent with spaces")
    hint = next((hint for words, hint in _HINTS.items() if words in problem), _DEFAULT_HINT)
    return Diagnostic(position, "yaml-syntax", f"this is no YAML: {problem}", hint)
