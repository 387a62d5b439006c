"""What a model's adapters compile to: arguments of the engine, settings of its replicas, entries of the routing table.

Which adapters there are is only in the settings and the table, which running replicas take over. The arguments do not
depend on it: one adapter more would restart the replicas.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.registry.engine_spec import Adapter, EngineConfig, Generation
from reconciler.registry.spec import ModelSpec
from reconciler.state.json_value import JsonValue

SETTINGS_KEY = "adapters"
"""The key in a model's `user_config` below which its adapters stand by id."""

IN_A_BATCH = 4
"""`max_loras` of a model with adapters that does not give it: with vLLM's own 1, requests for two of them wait for each
other."""

IN_MEMORY = 32
"""`max_cpu_loras` of such a model: with vLLM's own, as many as in a batch, the others are read from disk every time."""


def adapter_arguments(given: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The engine arguments of a model with adapters that are not among those `given`."""
    at_once = given.get("max_loras", IN_A_BATCH)
    needed = {"enable_lora": True, "max_loras": at_once, "max_cpu_loras": max(at_once, IN_MEMORY)}
    return {name: value for name, value in needed.items() if name not in given}


def adapter_settings(spec: ModelSpec) -> dict[str, JsonValue] | None:
    """What running replicas are told of adapters (`runtime.engine.adapters`); None for a model without the section."""
    lora = spec.engine_config.lora_config
    if lora is None:
        return None
    return {
        SETTINGS_KEY: {adapter.id: _source(adapter) for adapter in lora.adapters},
        "max_num_adapters_per_replica": lora.max_num_adapters_per_replica,
        **({"dynamic_lora_loading_path": lora.dynamic_lora_loading_path} if lora.dynamic_lora_loading_path else {}),
    }


def adapter_route(engine: EngineConfig) -> dict[str, JsonValue]:
    """What the gateway is told: `adapters` by id, each with what its requests get where that is not what the model's
    get, and `lora_path` where there may be more."""
    lora = engine.lora_config
    if lora is None:
        return {}
    return {
        "adapters": {adapter.id: _entry(adapter, engine.generation) for adapter in lora.adapters},
        "lora_path": lora.dynamic_lora_loading_path,
    }


def stops(sequences: Sequence[str | int | list[str | int]]) -> dict[str, JsonValue]:
    """What the gateway is told of stopping sequences: texts, tokens, and those of several tokens."""
    return {
        "stop": [stop for stop in sequences if isinstance(stop, str)],
        "stop_token_ids": [stop for stop in sequences if isinstance(stop, int)],
        "stop_token_sequences": [stop for stop in sequences if isinstance(stop, list)],
    }


def _source(adapter: Adapter) -> dict[str, JsonValue]:
    return {"source": adapter.source, **({"revision": adapter.revision} if adapter.revision else {})}


def _entry(adapter: Adapter, of_model: Generation) -> dict[str, JsonValue]:
    own = adapter.generation
    entry: dict[str, JsonValue] = {}
    if own.generate_kwargs:
        entry["defaults"] = {**of_model.generate_kwargs, **own.generate_kwargs}
    if own.stopping_sequences is not None:
        entry |= stops(own.stopping_sequences)
    optional = {"aliases": sorted(adapter.aliases), "description": adapter.description}
    return {**entry, **{key: value for key, value in optional.items() if value}}
