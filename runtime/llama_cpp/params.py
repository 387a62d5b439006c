"""llama.cpp's parameters (`xllamacpp.CommonParams`) from a model's config."""

import math
from collections.abc import Mapping
from enum import Enum
from itertools import takewhile
from typing import Any

DEFAULT_SLOTS = 4
"""Requests at a time where `n_parallel` does not say: what `llama-server` itself takes."""


def common_params(config: Mapping[str, Any], model_id: str, file: str, *, cpus: float, gpus: float, key: str) -> Any:
    """The parameters of a server for the GGUF `file`.

    `config` has `params` by llama.cpp's own names, perhaps `max_total_tokens`. `cpus` and `gpus` are what the
    replica has. `key` is asked of everybody who speaks to the server.

    Raises:
        ValueError: a parameter does not exist or does not take its value.
    """
    # It is a module of 100 MB, which only a replica loads.
    import xllamacpp

    params = xllamacpp.CommonParams()
    given = dict(config["params"])
    slots = given.setdefault("n_parallel", DEFAULT_SLOTS)
    if "max_total_tokens" in config:
        # The context of all slots together; llama.cpp divides it among them.
        params.n_ctx = config["max_total_tokens"] * slots
        params.kv_unified = False
    else:
        # The model's own length, as one pool in which every request may become as long as that.
        params.n_ctx = 0
        params.kv_unified = True
    if not gpus:
        params.n_gpu_layers = 0
    if cpus >= 1:
        params.cpuparams.n_threads = math.floor(cpus)
    _set(params, given, "engine_kwargs")
    params.model.path = file
    params.model_alias = {model_id}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.offline = True
    return params


def _set(target: Any, values: Mapping[str, Any], where: str) -> None:
    for name, value in values.items():
        path = f"{where}.{name}"
        if not hasattr(target, name):
            raise ValueError(f"llama.cpp has no parameter `{path}`")
        present = getattr(target, name)
        if isinstance(value, Mapping) and not isinstance(present, dict):
            _set(present, value, path)
            continue
        try:
            setattr(target, name, _typed(present, value))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"`{path}` does not take {value!r}: {error}") from error


def _typed(present: Any, value: Any) -> Any:
    if isinstance(present, Enum):
        return choice(type(present), value)
    if isinstance(present, list) and present and isinstance(present[0], Enum):
        return [choice(type(present[0]), item) for item in value]
    if isinstance(present, list) and present and isinstance(value, list) and isinstance(present[0], int | float):
        # One value for each device, as many as llama.cpp has room for.
        return [*value, *present[len(value) :]]
    return value


def choice(kind: type[Enum], value: Any) -> Enum:
    """The member of that name: `q8_0` for `GGML_TYPE_Q8_0`. Raises ValueError."""
    names = choices(kind)
    if str(value).lower() not in names:
        raise ValueError(f"it takes {', '.join(names)}")
    return kind[names[str(value).lower()]]


def choices(kind: type[Enum]) -> dict[str, str]:
    """The members of an enumeration by what tells their names apart, in lower case."""
    names = [member.name for member in kind if not member.name.endswith("_COUNT")]
    columns = zip(*(name.split("_") for name in names), strict=False)
    shared = sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, columns))
    return {name.split("_", shared)[shared].lower(): name for name in names}
