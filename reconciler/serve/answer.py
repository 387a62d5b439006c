"""Taking an answer of the dashboard apart. What 2.60 always sends and is not there is a `BadAnswer`."""

from collections.abc import Mapping
from typing import Any

from reconciler.serve.errors import BadAnswer
from reconciler.state.json_value import JsonValue

HINT = "this is not what Ray 2.60 answers: check that the address is a Ray dashboard, and its version"


def field(entry: JsonValue, key: str, where: str) -> Any:
    """A key that has to be there."""
    if not isinstance(entry, dict) or key not in entry:
        raise BadAnswer(f"the dashboard's answer lacks `{key}` in {where}", HINT)
    return entry[key]


def mapping(entry: JsonValue, key: str, where: str) -> Mapping[str, Any]:
    """A mapping that has to be there."""
    value = field(entry, key, where)
    if not isinstance(value, dict):
        raise BadAnswer(f"the dashboard's answer has no mapping `{key}` in {where}", HINT)
    return value


def rows(answer: JsonValue, what: str) -> list[Mapping[str, Any]]:
    """The rows of an answer of the state API (`ray/dashboard/state_api_utils.py`)."""
    found = answer
    for key in ("data", "result", "result"):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise BadAnswer(f"the dashboard's list of {what} has no rows", HINT)
    return found
