"""Forms of files that an earlier run has read: what is remembered of them at once, and the rest from the form itself.

So a run whose files did not change needs neither YAML nor the forms, and nothing that asks for more than is remembered
gets a wrong answer.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from reconciler.registry import choices


class _Unknowable(Exception):
    """A value that JSON cannot hold so that it comes back the same."""


class Recalled:
    """A form as far as it is remembered. Whatever else is asked of it is asked of the form itself."""

    __slots__ = ("_form", "_known")

    def __init__(self, known: Mapping[str, Any], form: Callable[[], Any]) -> None:
        self._known = known
        self._form = form

    def __getattr__(self, name: str) -> Any:
        if name in self._known:
            return _recalled(self._known[name], lambda: getattr(self._form(), name))
        return getattr(self._form(), name)

    def __eq__(self, other: object) -> bool:
        return bool(self._form() == (other._form() if isinstance(other, Recalled) else other))

    def __hash__(self) -> int:
        return hash(self._form())

    def __repr__(self) -> str:
        return repr(self._form())


def remembered(form: Any) -> dict[str, Any]:
    """What JSON can hold of a form (a pydantic model), by field."""
    known = {}
    for name in type(form).model_fields:
        try:
            known[name] = _plain(getattr(form, name))
        except _Unknowable:
            continue
    return known


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        if getattr(choices, type(value).__name__, None) is not type(value):
            raise _Unknowable
        return {"choice": [type(value).__name__, value.value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"map": {key: _plain(item) for key, item in value.items()}}
    if hasattr(type(value), "model_fields"):
        return {"form": remembered(value)}
    raise _Unknowable


def _recalled(known: Any, form: Callable[[], Any]) -> Any:
    if isinstance(known, list):
        return [_recalled(item, _part(form, index)) for index, item in enumerate(known)]
    if not isinstance(known, dict):
        return known
    ((kind, content),) = known.items()
    if kind == "choice":
        name, value = content
        return getattr(choices, name)(value)
    if kind == "map":
        return {key: _recalled(item, _part(form, key)) for key, item in content.items()}
    return Recalled(content, form)


def _part(form: Callable[[], Any], key: Any) -> Callable[[], Any]:
    return lambda: form()[key]
