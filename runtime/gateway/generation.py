"""What a generation request gets of its model: default fields, its own stop sequences, a limit to its answer."""

from collections.abc import Iterable
from typing import Any

from runtime.gateway.endpoints import Endpoint
from runtime.gateway.errors import too_many_output_tokens
from runtime.gateway.route import Route

_OUTPUT_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""The old and the new name of the same default; other paths have other names for it."""


def fill(fields: dict[str, Any], endpoint: Endpoint, route: Route) -> bool:
    """Complete the fields of a request in place; whether any was. A field sent as null counts as left out.

    Raises:
        GatewayError: 400, when the request asks for more tokens than it may.
    """
    if not endpoint.generates:
        return False
    filled = []
    for name, value in _defaults(route):
        names: tuple[str, ...] = (name,)
        if name in _OUTPUT_LIMITS:
            # Who gives one of them has decided about both.
            names = endpoint.output_limit
            name = name if name in names else names[0]
        if all(fields.get(given) is None for given in names):
            fields[name] = value
            filled.append(name)
    if "min_tokens" in filled and isinstance(fields["min_tokens"], int):
        # It gives way to a request that wants fewer.
        wanted = [fields[name] for name in endpoint.output_limit if isinstance(fields.get(name), int)]
        fields["min_tokens"] = min([fields["min_tokens"], *wanted])
    added = [
        field is not None and _add(fields, field, stops)
        for field, stops in ((endpoint.stop, route.stop), (endpoint.stop_token_ids, route.stop_token_ids))
    ]
    _check_limit(fields, endpoint, route)
    return bool(filled) or any(added)


def _defaults(route: Route) -> Iterable[tuple[str, Any]]:
    yield from route.defaults.items()
    if route.max_output_tokens is not None:
        yield "max_tokens", route.max_output_tokens


def _add(fields: dict[str, Any], name: str, added: Iterable[str | int]) -> bool:
    own = fields.get(name)
    # One string may stand without a list. What is neither is for the engine to refuse.
    given = [own] if isinstance(own, str) else [] if own is None else own
    missing = [stop for stop in added if not isinstance(given, list) or stop not in given]
    if not missing or not isinstance(given, list):
        return False
    fields[name] = [*given, *missing]
    return True


def _check_limit(fields: dict[str, Any], endpoint: Endpoint, route: Route) -> None:
    limit = route.max_output_tokens
    if limit is None:
        return
    for name in endpoint.output_limit:
        wanted = fields.get(name)
        # Of what is no number the engine says what is wrong with it.
        if isinstance(wanted, int | float) and wanted > limit:
            raise too_many_output_tokens(route.model_id, name, wanted, limit)
