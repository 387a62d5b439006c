"""Whether a value is one that an argument takes, and what somebody meant with one that is not."""

import json
import math
from difflib import get_close_matches
from typing import Any

from reconciler.registry.quoted import quoted
from reconciler.registry.secret import is_secret_name
from reconciler.registry.tables import EngineArgument, Match

_JSON_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
_WORDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_NODE_VARIABLE = "${env:"
_LISTED_VALUES = 12
"""A choice of no more values than this is listed whole in a hint."""


def type_problem(argument: EngineArgument, value: Any) -> tuple[str, str] | None:
    """What is wrong with the type of a value, and a hint; numbers are strict, as everywhere in a model file."""
    if fits(argument, value):
        return None
    secret = is_secret_name(argument.name)
    wanted = " or ".join(_WORDS[name] for name in argument.types if name != "null") or "no value that a file holds"
    given = _WORDS[json_type(value)] if value is None or secret else f"{_WORDS[json_type(value)]} {quoted(value)}"
    hint = "name a variable of the cluster's nodes: `${env:NAME}`" if secret else _type_hint(argument, value)
    return f"{quoted(argument.name)} wants {wanted}, not {given}", hint


def json_type(value: Any) -> str:
    """JSON's name for the type of a value."""
    return _JSON_TYPES.get(type(value), "string")


def fits(argument: EngineArgument, value: Any) -> bool:
    """Whether the value is of a type that the argument takes."""
    found = json_type(value)
    return found in argument.types or (found == "integer" and "number" in argument.types)


def takes(argument: EngineArgument, value: Any) -> bool:
    """Whether the value is among those that the argument takes, or there is no choice."""
    if not argument.values or value is None or (isinstance(value, str) and _NODE_VARIABLE in value):
        return True
    if argument.match is Match.ANY_CASE:
        return str(value).lower() in argument.values
    return value in argument.values


def _type_hint(argument: EngineArgument, value: Any) -> str:
    if isinstance(value, str) and _NODE_VARIABLE in value:
        return "only text can come from a variable of the cluster's nodes"
    whose = "llama.cpp's" if argument.source == "llama.cpp" else "vLLM's"
    if value is None:
        return f"leave it out for {whose} default"
    meant = _meant(argument, value)
    if meant is not None:
        return f"write {meant}"
    return (
        f"for example {json.dumps(argument.default)}, {whose} default" if argument.default else f"see {whose} arguments"
    )


def _meant(argument: EngineArgument, value: Any) -> str | None:
    """The value in the type that is wanted, when it was only spelled in another: `"64"`, `1e3`, `"true"`, `4.0`."""
    text = str(value).lower()
    if "boolean" in argument.types:
        return {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}.get(text)
    if isinstance(value, str | float) and {"integer", "number"} & set(argument.types):
        try:
            number = float(text)
        except ValueError:
            return None
        if number.is_integer():
            return str(int(number))
        return str(number) if "number" in argument.types and math.isfinite(number) else None
    return f'"{value}"' if "string" in argument.types and isinstance(value, int | float) else None


def value_hint(argument: EngineArgument, value: Any) -> str:
    """What may have been meant with a value that is not among them."""
    near = get_close_matches(str(value).lower(), [str(choice) for choice in argument.values], n=1)
    if near:
        return f"did you mean {quoted(near[0])}?"
    if len(argument.values) <= _LISTED_VALUES:
        return "it takes " + ", ".join(quoted(choice) for choice in argument.values)
    return "the schema lists what it takes"
