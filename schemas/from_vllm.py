"""What `engine_kwargs` may hold: the fields of vLLM's `AsyncEngineArgs` and `FrontendArgs`.

`ray.serve.llm` takes exactly these names and refuses any other when the replica starts
(`ray.llm._internal.serve.engines.vllm.vllm_models.VLLMEngineConfig.from_llm_config`).
"""

import dataclasses
import enum
import json
import types
import typing
from typing import Any

import vllm
from vllm.config.quantization import QuantizationConfigArgs
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import BaseFrontendArgs, FrontendArgs
from vllm.model_executor.layers.quantization import QuantizationMethods
from vllm.model_executor.model_loader import LoadFormats
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager

from reconciler.registry.tables import VLLM_VERSION, Match

JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
    set: "array",
    types.NoneType: "null",
}
TYPE_ORDER = ("boolean", "integer", "number", "string", "array", "object", "null")

REGISTERED: dict[str, list[str]] = {
    "load_format": list(typing.get_args(LoadFormats)),
    "quantization": list(typing.get_args(QuantizationMethods)),
    "reasoning_parser": ReasoningParserManager.list_registered(),
    "tool_call_parser": ToolParserManager.list_registered(),
}
"""Plain strings to the type checker whose values vLLM looks up in a registry of its own, which plugins may extend."""

_HTTP_SERVER = "Ray Serve runs the HTTP server, not vLLM; remove it"
_PARALLEL = "Ray places the engine's processes; write `scaling_config.num_workers` or `autoscaling_config.max_replicas`"

RESERVED = {
    "model": "write `engine_config.hf_model_id`",
    "served_model_name": "write `engine_config.model_id`, and further names in `engine_config.aliases`",
    "tokenizer": "write `engine_config.tokenizer_id`",
    "max_model_len": "write `engine_config.max_total_tokens`",
    "runner": "write `engine_config.type`: `VLLMEngine` or `EmbeddingEngine`",
    "tensor_parallel_size": "write `scaling_config.num_workers`",
    "distributed_executor_backend": "Ray Serve chooses the executor; remove it",
    "disable_log_stats": "Ray Serve reports the engine's metrics and refuses to start without them; remove it",
    "enable_flash_late_interaction": _HTTP_SERVER,
    "_api_process_count": "internal to vLLM; remove it",
    "_api_process_rank": "internal to vLLM; remove it",
    "prefill_context_parallel_size": _PARALLEL,
    **dict.fromkeys(("nnodes", "node_rank", "master_addr", "master_port", "device_ids"), _PARALLEL),
}
"""Arguments that Ray or the registry sets itself, or that have no effect under Ray Serve: what to do instead."""


def render() -> str:
    """The text of the table: one line per argument, sorted by name."""
    if not vllm.__version__.startswith(VLLM_VERSION):
        raise SystemExit(f"error: vLLM {VLLM_VERSION} is needed, {vllm.__version__} is installed")
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(arguments().items())]
    return f'{{\n  "vllm": {json.dumps(VLLM_VERSION)},\n  "arguments": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


def arguments() -> dict[str, dict[str, Any]]:
    """Each argument by name. Where both classes have one, Ray hands it to the front end."""
    found: dict[str, dict[str, Any]] = {}
    for source, cls in (("engine", AsyncEngineArgs), ("frontend", FrontendArgs)):
        hints = typing.get_type_hints(cls, localns={"QuantizationConfigArgs": QuantizationConfigArgs})
        for field in dataclasses.fields(cls):
            found[field.name] = {**_argument(field, hints[field.name]), "source": source}
    return found


def _argument(field: dataclasses.Field[Any], annotation: Any) -> dict[str, Any]:
    json_types: set[str] = set()
    values: list[Any] = []
    match = Match.EXACT
    for option in _options(annotation):
        if typing.get_origin(option) is typing.Literal:
            values += typing.get_args(option)
            json_types |= {JSON_TYPES[type(value)] for value in typing.get_args(option)}
        elif isinstance(option, type) and issubclass(option, enum.IntEnum):
            values += [int(member) for member in option]
            json_types.add("integer")
        elif isinstance(option, type) and issubclass(option, enum.Enum):
            # vLLM looks a string up by the member's name in upper case.
            values += sorted(name.lower() for name in option.__members__)
            json_types.add("string")
            match = Match.ANY_CASE
        else:
            json_types |= _json_type(option)
    if field.name in REGISTERED:
        values = REGISTERED[field.name]
    if field.name in REGISTERED or (str in _options(annotation) and match is Match.EXACT):
        match = Match.OPEN
    known, default = _default(field)
    if known and default is None:
        json_types.add("null")
    entry: dict[str, Any] = {"types": [name for name in TYPE_ORDER if name in json_types]}
    if values:
        entry |= {"values": values, "match": match.value}
    if known:
        entry["default"] = default
    if reserved := _reserved(field.name):
        entry["reserved"] = reserved
    return entry


def _options(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [option for part in typing.get_args(annotation) for option in _options(part)]
    return [annotation]


def _json_type(option: Any) -> set[str]:
    origin = typing.get_origin(option) or option
    if origin in JSON_TYPES:
        return {JSON_TYPES[origin]}
    # Ray hands a mapping over and vLLM builds its config class from it. Classes, callables and torch types, the rest of
    # what vLLM takes, cannot be written in a file.
    return {"object"} if dataclasses.is_dataclass(origin) else set()


def _default(field: dataclasses.Field[Any]) -> tuple[bool, Any]:
    """Whether the default can be written as JSON, and the default."""
    value = field.default
    if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if isinstance(value, enum.IntEnum):
        value = int(value)
    if isinstance(value, enum.Enum):
        value = value.name.lower()
    if isinstance(value, set):
        value = sorted(value)
    try:
        json.dumps(value)
    except TypeError:
        return False, None
    return value is not dataclasses.MISSING, value


def _reserved(name: str) -> str | None:
    if name in RESERVED:
        return RESERVED[name]
    if name.startswith("data_parallel_"):
        return _PARALLEL
    server = {field.name for field in dataclasses.fields(FrontendArgs)} - {
        field.name for field in dataclasses.fields(BaseFrontendArgs)
    }
    return _HTTP_SERVER if name in server else None
