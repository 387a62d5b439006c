"""One config value as people read it. The value of an environment variable never comes out of here."""

import json

from reconciler.plan.change import HIDDEN, FieldChange
from reconciler.plan.diff import hide
from reconciler.state.json_value import JsonValue, canonical
from reconciler.views.printable import cut, printable

NOT_SET = "(not set)"


def shown(value: JsonValue, is_set: bool = True, width: int = 60) -> str:
    """The value as JSON on one line, cut in the middle; strings keep their quotes, so that `"1"` is not `1`."""
    if not is_set:
        return NOT_SET
    if value == HIDDEN:
        return HIDDEN
    return cut(printable(json.dumps(canonical(hide(value)), ensure_ascii=False)), width)


def before(field: FieldChange, width: int = 60) -> str:
    """The live side of a field."""
    return shown(field.before, field.before_set, width)


def after(field: FieldChange, width: int = 60) -> str:
    """The desired side of a field."""
    if field.before == HIDDEN and field.after == HIDDEN:
        return "(hidden, another value)"
    return shown(field.after, field.after_set, width)


def short_path(path: str) -> str:
    """A field's path without the deployment in front: every application of ours has one deployment."""
    if path.startswith("deployments[") and "]." in path:
        path = path.split("].", 1)[1]
    return printable(path)
