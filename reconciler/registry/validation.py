"""From a document to its typed form, and from pydantic's errors to diagnostics at the lines they are about."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.document import Document
from reconciler.registry.engine_spec import HTTP_ADDRESS
from reconciler.registry.key_path import KeyPath
from reconciler.registry.known_keys import hint_for
from reconciler.registry.quoted import quoted
from reconciler.registry.secret import find_secrets, is_secret_path

Form = TypeVar("Form", bound=BaseModel)

_EXPECTED = {
    "int": "an integer",
    "float": "a number",
    "string": "text",
    "bool": "`true` or `false`",
    "list": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "finite": "a finite number",
}
"""What was expected, by the first word of pydantic's error type."""

_LIMITS = {
    "greater_than": ("must be more than {:g}", "gt"),
    "greater_than_equal": ("must be at least {:g}", "ge"),
    "less_than": ("must be less than {:g}", "lt"),
    "less_than_equal": ("must be at most {:g}", "le"),
    "string_too_short": ("must not be empty", "min_length"),
    "too_short": ("must not be empty", "min_length"),
    "string_too_long": ("must have at most {:g} characters", "max_length"),
}

_WRITTEN = {
    "an integer": re.compile(r"-?[0-9]+"),
    "a number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "`true` or `false`": re.compile("true|false"),
}
"""What a text looks like that was quoted though it should not be."""

_PATTERNS = {
    "^https?://": ("must begin with `http://` or `https://`", "for example `https://ray.example.com:8265`"),
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$": ("must be a date", 'for example `"2030-12-31"`'),
    "^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$": (
        "must be up to 200 letters, digits, `.`, `_`, `:` and `-`, a letter or digit first",
        "for example `team-a:sql-v2`",
    ),
    HTTP_ADDRESS: ("must begin with `http://` or `https://`", "for example `https://api.example.com/v1`"),
    "^[A-Z]{3}$": ("must be three capital letters", "for example `EUR`"),
    "^[0-9a-f]{64}$": ("must be 64 hexadecimal digits", "`reconcile key NAME` makes a key and its digest"),
    "^[A-Za-z0-9][A-Za-z0-9._-]*$": (
        "must be letters, digits, `.`, `_` and `-`, beginning with a letter or a digit",
        "for example `team-a`",
    ),
    "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$": (
        "must be lower-case letters, digits and `-` between them",
        "for example `team-a`",
    ),
}
"""The patterns of the forms, in words."""


def validate(form: type[Form], document: Document) -> tuple[Form | None, tuple[Diagnostic, ...]]:
    """The document as a value of `form`, or None and what keeps it from being one."""
    try:
        return form.model_validate(document.value), ()
    except ValidationError as error:
        return None, tuple(_diagnostics(form, document, error.errors(include_url=False)))


def _diagnostics(form: type[BaseModel], document: Document, errors: list[ErrorDetails]) -> Iterable[Diagnostic]:
    by_path: dict[KeyPath, list[ErrorDetails]] = defaultdict(list)
    for error in errors:
        by_path[_written_path(document.value, error)].append(error)
    # Of a value that may be several things, the one that it nearly is says most about it.
    outer = {path[:length] for path in by_path for length in range(len(path))}
    for path, same_place in by_path.items():
        of_choice = path in outer and path != () and any(each["loc"] != path for each in same_place)
        if not of_choice and not any(path[:length] in document.refused for length in range(1, len(path) + 1)):
            yield _diagnostic(form, document, path, same_place)


def _written_path(value: Any, error: ErrorDetails) -> KeyPath:
    """The path of the error without what pydantic adds for the members of a union."""
    if error["type"] == "missing":
        return error["loc"]
    path: list[str | int] = []
    for part in error["loc"]:
        known = part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)
        if known:
            value = value[part]
            path.append(part)
    return tuple(path)


def _diagnostic(form: type[BaseModel], document: Document, path: KeyPath, errors: list[ErrorDetails]) -> Diagnostic:
    error = errors[0]
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    where, position = dotted(path), _position(document.positions, path)
    if kind == "missing":
        parent = _position(document.positions, path[:-1])
        return Diagnostic(parent, "missing-key", f"`{where}` is missing", f"add `{path[-1]}:`")
    if kind == "extra_forbidden":
        section = f"in `{dotted(path[:-1])}`" if path[:-1] else "at the top level"
        message = f"the key {quoted(path[-1])} is not known {section}"
        return Diagnostic(position, "unknown-key", message, hint_for(form, path))
    if kind in _LIMITS:
        sentence, limit = _LIMITS[kind]
        found = "" if isinstance(value, str) else f", not {value}"
        return Diagnostic(position, "out-of-range", f"`{where}` {sentence.format(context[limit])}{found}")
    if kind in ("enum", "literal_error"):
        return _not_one_of(position, where, str(context["expected"]), value)
    if kind == "string_pattern_mismatch":
        sentence, hint = _PATTERNS[context["pattern"]]
        return Diagnostic(position, "wrong-form", f"`{where}` {sentence}", hint)
    if kind == "value_error":
        subject = f"`{where}`: " if path else ""
        return Diagnostic(position, "wrong-form", f"{subject}{context['error']}")
    expected = " or ".join(dict.fromkeys(_expected(each["type"]) for each in errors))
    message = f"`{where}`: expected {expected}, found {_found(path, value)}"
    return Diagnostic(position, "wrong-type", message, _type_hint(path, expected, value))


def dotted(path: KeyPath) -> str:
    """A path as people write it: `engine_config.aliases[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{quoted(part)[1:-1]}"
    return text.removeprefix(".")


def _position(positions: Mapping[KeyPath, Position], path: KeyPath) -> Position:
    while path not in positions:
        path = path[:-1]
    return positions[path]


def _expected(kind: str) -> str:
    return _EXPECTED[kind.split("_")[0]]


def _not_one_of(position: Position, where: str, expected: str, value: Any) -> Diagnostic:
    choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
    message = f"`{where}` must be one of " + ", ".join(f"`{choice}`" for choice in choices)
    near = get_close_matches(str(value).upper(), [choice.upper() for choice in choices], n=1)
    hint = next((f"did you mean `{choice}`?" for choice in choices if choice.upper() in near), None)
    return Diagnostic(position, "not-a-choice", message, hint)


def _found(path: KeyPath, value: Any) -> str:
    """The value in words. What may be a secret is not shown."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    kind = "text" if isinstance(value, str) else "a boolean" if isinstance(value, bool) else "a number"
    if is_secret_path(path) or find_secrets(str(value)):
        return kind
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    return f"the text {quoted(shown)}" if isinstance(value, str) else f"{kind.replace('a ', 'the ')} {quoted(shown)}"


def _type_hint(path: KeyPath, expected: str, value: Any) -> str | None:
    if "env_vars" in path and len(path) > 1 and path[-2] == "env_vars":
        return "quote it: Ray refuses every other type, after it has stored it"
    if value is None:
        return "give a value, or remove the key"
    if expected == "text" and isinstance(value, bool | int | float):
        return "quote it"
    if expected == "text" and isinstance(value, dict):
        return 'quote text that holds braces: `"{instruction}"`'
    if expected == "a list" and isinstance(value, str):
        return "put it in brackets: `[...]`"
    if isinstance(value, str) and expected in _WRITTEN and _WRITTEN[expected].fullmatch(value):
        return "remove the quotes"
    return None
