"""A model's entry in the gateway's routing table, back in the canonical form (`state.desired.route` writes it)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.key_path import KeyPath

_ENGINE = ("engine_config",)
_LORA: KeyPath = (*_ENGINE, "lora_config")
_PLACES: Mapping[str, KeyPath] = {
    "aliases": (*_ENGINE, "aliases"),
    "defaults": (*_ENGINE, "generation", "generate_kwargs"),
    "max_input_tokens": (*_ENGINE, "generation", "max_input_tokens"),
    "max_output_tokens": (*_ENGINE, "generation", "max_output_tokens"),
    "description": (*_ENGINE, "model_description"),
    "url": (*_ENGINE, "model_url"),
    "protect": ("rollout", "protect"),
    "canary": ("traffic", "canary"),
    "fallback": ("traffic", "fallback"),
}


def with_route(translation: Translation, route: Mapping[str, Any], position: Position) -> Translation:
    """The model with what the gateway knows of it."""
    found: dict[KeyPath, Any] = {path: route[key] for key, path in _PLACES.items() if route.get(key)}
    if route.get("chat") is False:
        found[*_ENGINE, "generation", "chat"] = False
    stops = _stops(route)
    if stops:
        found[*_ENGINE, "generation", "stopping_sequences"] = stops
    found |= _adapters(translation, route)
    value: Any = translation.value
    for path, item in found.items():
        value = _with(value, path, item)
    return replace(translation, value=value, positions={**translation.positions, **dict.fromkeys(found, position)})


def with_adapters(translation: Translation, settings: Mapping[str, Any] | None, position: Position) -> Translation:
    """The model with the adapters that its replicas were told of (`state.adapters.adapter_settings`)."""
    if settings is None:
        return translation
    section = {key: value for key, value in settings.items() if key != "adapters"}
    section["adapters"] = [{"id": name, **entry} for name, entry in (settings.get("adapters") or {}).items()]
    value = _with(translation.value, _LORA, section)
    return replace(translation, value=value, positions={**translation.positions, _LORA: position})


def _adapters(translation: Translation, route: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """The model's adapters with what the gateway knows of each (`state.adapters.adapter_route`)."""
    section: Any = translation.value
    for key in _LORA:
        section = section.get(key) or {}
    told = route.get("adapters") or {}
    known = section.get("adapters") or []
    return {(*_LORA, "adapters"): [{**each, **_adapter(told.get(each["id"]) or {})} for each in known]} if known else {}


def _adapter(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: entry[key] for key in ("aliases", "description") if key in entry}
    generation: dict[str, Any] = {"generate_kwargs": entry["defaults"]} if "defaults" in entry else {}
    if "stop" in entry:
        generation["stopping_sequences"] = _stops(entry)
    return {**found, **({"generation": generation} if generation else {})}


def _stops(entry: Mapping[str, Any]) -> list[Any]:
    return [stop for key in ("stop", "stop_token_ids", "stop_token_sequences") for stop in entry.get(key) or ()]


def _with(value: Mapping[str, Any], path: KeyPath, item: Any) -> dict[str, Any]:
    key = str(path[0])
    inner = item if len(path) == 1 else _with(value.get(key) or {}, path[1:], item)
    return {**value, key: inner}
