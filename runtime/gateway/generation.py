"""Filling in what a generation request leaves out: the model's default fields, and its own stop sequences."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from runtime.gateway.table import Route

_OUTPUT_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""The old and the new name of the same field: who gives one has decided about both."""


def fill(body: BaseModel, sent: Mapping[str, Any], route: Route) -> None:
    """Complete `body`, a chat or completion request, in place.

    `sent` is the JSON object that the client sent: vLLM's request types set fields of their own accord, so `body` does
    not tell what was left out. A field sent as null counts as left out.
    """
    given = {name for name, value in sent.items() if value is not None}
    if given & _OUTPUT_LIMITS:
        given |= _OUTPUT_LIMITS
    for name, value in route.defaults.items():
        if name not in given:
            setattr(body, name, _typed(type(body), name, value))
    for name, added in (("stop", route.stop), ("stop_token_ids", route.stop_token_ids)):
        if added:
            own = getattr(body, name)
            setattr(body, name, list(dict.fromkeys([*([own] if isinstance(own, str) else own or ()), *added])))


def _typed(model: type[BaseModel], name: str, value: Any) -> Any:
    """`value` as the field wants it, such as the object for `response_format`; unchanged where there is no field."""
    return _adapter(model, name).validate_python(value) if name in model.model_fields else value


@lru_cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(model.model_fields[name].rebuild_annotation())
