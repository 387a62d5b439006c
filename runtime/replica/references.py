"""`${env:NAME}` in a config: the value of a variable on the node that reads it."""

import re
from collections.abc import Mapping
from typing import Any

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve(value: Any, environment: Mapping[str, str], key: str = "llm_config") -> Any:
    """A copy of a JSON value in which every reference inside a string is replaced from `environment`.

    `key` names the value in errors. What a variable holds is text and is not looked at again.

    Raises:
        LookupError: a variable is not set; names the variable and the key it is used in.
    """
    if isinstance(value, Mapping):
        return {name: resolve(item, environment, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, environment, f"{key}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            raise LookupError(f"`{name}` is not set on this node but `{key}` refers to it: set it where Ray is started")
        return environment[name]

    return REFERENCE.sub(replacement, value)
