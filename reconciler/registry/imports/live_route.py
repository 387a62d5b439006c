"""A model's entry in the gateway's routing table, back in the canonical form (`state.desired.route` writes it)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.registry import KeyPath

_ENGINE = ("engine_config",)
_PLACES: Mapping[str, KeyPath] = {
    "aliases": (*_ENGINE, "aliases"),
    "defaults": (*_ENGINE, "generation", "generate_kwargs"),
    "description": (*_ENGINE, "model_description"),
    "url": (*_ENGINE, "model_url"),
    "protect": ("rollout", "protect"),
}


def with_route(translation: Translation, route: Mapping[str, Any], position: Position) -> Translation:
    """The model with what the gateway knows of it."""
    found: dict[KeyPath, Any] = {path: route[key] for key, path in _PLACES.items() if route.get(key)}
    stops = [*(route.get("stop") or ()), *(route.get("stop_token_ids") or ())]
    if stops:
        found[*_ENGINE, "generation", "stopping_sequences"] = stops
    value: Any = translation.value
    for path, item in found.items():
        value = _with(value, path, item)
    return replace(translation, value=value, positions={**translation.positions, **dict.fromkeys(found, position)})


def _with(value: Mapping[str, Any], path: KeyPath, item: Any) -> dict[str, Any]:
    key = str(path[0])
    inner = item if len(path) == 1 else _with(value.get(key) or {}, path[1:], item)
    return {**value, key: inner}
