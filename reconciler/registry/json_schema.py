"""JSON Schemas (2020-12) of the files people write, for editors and other tools, from the loader's own definitions."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from reconciler.registry.choices import EngineType
from reconciler.registry.cluster import Cluster
from reconciler.registry.spec import ModelSpec
from reconciler.registry.tables import EngineArgument, Match, engine_arguments, llama_cpp_parameters

NODE_VARIABLE = r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}"
"""A reference to a variable of the cluster's nodes, which may stand for any text."""


class _Published(GenerateJsonSchema):
    """Pydantic's schema with one title at the top: the derived ones repeat each key in an editor's hover."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: the key is title enough."""
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        """The schema without the class names as titles."""
        document = super().generate(schema, mode)
        for definition in document.get("$defs", {}).values():
            definition.pop("title", None)
        return document


def model_schema() -> dict[str, Any]:
    """The schema of `registry/<model>.yaml`, the arguments of the pinned vLLM and llama.cpp included."""
    document = _document("model", "A model of the registry", ModelSpec)
    definitions = document["$defs"]
    definitions["VLLMArguments"] = _arguments_schema(engine_arguments())
    definitions["LlamaCppParameters"] = _arguments_schema(llama_cpp_parameters())
    definitions["EngineConfig"] |= {
        "if": {"properties": {"type": {"const": EngineType.LLAMA_CPP.value}}, "required": ["type"]},
        "then": {"properties": {"engine_kwargs": {"$ref": "#/$defs/LlamaCppParameters"}}},
        "else": {"properties": {"engine_kwargs": {"$ref": "#/$defs/VLLMArguments"}}},
    }
    return document


def cluster_schema() -> dict[str, Any]:
    """The schema of `registry/clusters/<name>.yaml`."""
    document = _document("cluster", "A Ray cluster of the registry", Cluster)
    # What the definitions say in validators, which pydantic cannot publish.
    remote = {
        "required": ["dashboard", "gateway"],
        "properties": {"local": {"const": False}, "gateway": {"required": ["address"]}},
    }
    local = {"required": ["local"], "properties": {"local": {"const": True}, "dashboard": {"type": "null"}}}
    document["oneOf"] = [remote, local]
    document["$defs"]["TokenSource"]["oneOf"] = [{"required": ["env"]}, {"required": ["file"]}]
    some_keys = {"required": ["keys"], "properties": {"keys": {"minItems": 1}}}
    document["$defs"]["Gateway"] |= {"if": some_keys, "then": {"required": ["token"]}}
    return document


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "model.schema.json": model_schema,
    "cluster.schema.json": cluster_schema,
}
"""The schemas of this layer by file name. A higher layer that publishes some has a table like this."""


def _document(name: str, title: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Published)
    schema.pop("title")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:reconciler:schema:{name}",
        "title": title,
        **schema,
    }


def _arguments_schema(arguments: Mapping[str, EngineArgument]) -> dict[str, Any]:
    """A mapping of arguments; those named `part.name` are in a mapping of their own."""
    schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for name, argument in sorted(arguments.items()):
        if argument.reserved is None:
            *parts, last = name.split(".")
            place = schema
            for part in parts:
                empty = {"type": "object", "properties": {}, "additionalProperties": False}
                place = place["properties"].setdefault(part, empty)
            place["properties"][last] = _argument_schema(argument)
    return schema


def _argument_schema(argument: EngineArgument) -> dict[str, Any]:
    types = list(argument.types)
    schema: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    if argument.values and argument.match is Match.EXACT:
        null = [None] if "null" in types else []
        choice = {"enum": [*argument.values, *null]}
        schema = {"anyOf": [choice, {"type": "string", "pattern": NODE_VARIABLE}]} if "string" in types else choice
    elif argument.values:
        schema["examples"] = list(argument.values)
    if argument.default is not None:
        schema["default"] = argument.default
    return schema
