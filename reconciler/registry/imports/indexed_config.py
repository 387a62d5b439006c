"""A config of Ray Serve in which lists are mappings from their indices, so that every key in them has a fate."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.registry.document import Document
from reconciler.registry.imports.documents import replaced
from reconciler.registry.key_path import KeyPath

MODEL_LISTS = (
    "llm_configs",
    "model",
    "models",
    "embedding_models",
    "trtllm_models",
    "vllm_base_models",
    "multiplex_models",
    "function_calling_models",
    "args",
)
"""Keys of `args` that hold models, in any era."""

ADAPTER_LIST = "multiplex_lora_adapters"
"""The key of `args` that holds files of adapters."""


def indexed(document: Document, base: KeyPath) -> Document:
    """The document with the lists of applications, deployments and models in the config at `base` as mappings from
    their indices, so that every key in them has a fate.
    """
    value: Any = document.value
    for step in base:
        value = value[step]
    applications: Any = value.get("applications") if isinstance(value, Mapping) else None
    if not isinstance(applications, list):
        return document
    entries = {index: _indexed_application(entry) for index, entry in enumerate(applications)}
    return replace(document, value=replaced(document.value, (*base, "applications"), entries or []))


def _indexed_application(application: Any) -> Any:
    if not isinstance(application, Mapping):
        return application
    found = dict(application)
    arguments = found.get("args")
    if isinstance(found.get("deployments"), list):
        found["deployments"] = _indexed(found["deployments"])
    if isinstance(arguments, Mapping):
        found["args"] = {
            key: _indexed(item) if key in (*MODEL_LISTS, ADAPTER_LIST) else item for key, item in arguments.items()
        }
    return found


def _indexed(value: Any) -> Any:
    if isinstance(value, list) and value:
        return {index: _indexed(item) for index, item in enumerate(value)}
    return value


def is_indexed(value: Any) -> bool:
    """Whether a value is a list that stands as a mapping from its indices."""
    return isinstance(value, Mapping) and bool(value) and all(isinstance(key, int) for key in value)
