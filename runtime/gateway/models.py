"""What `/v1/models` says."""

from collections.abc import Iterable
from typing import Any

from runtime.gateway.route import Route


def card(route: Route) -> dict[str, Any]:
    """One model, as the OpenAI API describes it, with `metadata` beside it."""
    return {
        "id": route.model_id,
        "object": "model",
        "created": 0,
        "owned_by": route.model_id.partition("/")[0],
        **({"parent": route.base_id} if route.adapter is not None else {}),
        "metadata": dict(route.metadata),
    }


def cards(routes: Iterable[Route]) -> dict[str, Any]:
    """Many of them."""
    return {"object": "list", "data": [card(route) for route in routes]}
