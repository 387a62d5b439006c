"""One config value as people read it. The value of an environment variable never comes out of here."""

import json
from collections.abc import Mapping

from reconciler.plan.change import HIDDEN, FieldChange
from reconciler.state.json_value import JsonValue, canonical
from reconciler.views.printable import cut, printable

NOT_SET = "(not set)"


def shown(value: JsonValue, is_set: bool = True, width: int = 60) -> str:
    """The value as JSON on one line, cut in the middle; strings keep their quotes, so that `"1"` is not `1`."""
    if not is_set:
        return NOT_SET
    if value == HIDDEN:
        return HIDDEN
    return cut(printable(json.dumps(canonical(without_env_values(value)), ensure_ascii=False)), width)


def before(field: FieldChange, width: int = 60) -> str:
    """The live side of a field."""
    return shown(field.before, field.before_set, width)


def after(field: FieldChange, width: int = 60) -> str:
    """The desired side of a field."""
    return shown(field.after, field.after_set, width)


def without_env_values(value: JsonValue) -> JsonValue:
    """A copy in which every value under an `env_vars` key is `HIDDEN`."""
    if isinstance(value, Mapping):
        return {
            key: dict.fromkeys(item, HIDDEN)
            if key == "env_vars" and isinstance(item, Mapping)
            else without_env_values(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_env_values(item) for item in value]
    return value


def short_path(path: str) -> str:
    """A field's path without the deployment in front: every application of ours has one deployment."""
    if path.startswith("deployments[") and "]." in path:
        path = path.split("].", 1)[1]
    return printable(path)
