"""Adapters (LoRA)."""

import re
from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.engine_spec import Adapter
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry

_KWARGS: KeyPath = ("engine_config", "engine_kwargs")
_LORA: KeyPath = ("engine_config", "lora_config")

_ADAPTER_ARGUMENTS = (
    "default_mm_loras",
    "fully_sharded_loras",
    "lora_dtype",
    "lora_target_modules",
    "max_cpu_loras",
    "max_lora_rank",
    "max_loras",
    "specialize_active_lora",
)

_IN_A_FOLDER = re.compile(r"/|(s3|gs)://[^/]|\$\{env:")
"""How a path or a bucket begins, or a variable that holds one."""
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def adapters_enabled(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Arguments for adapters come with `lora_config`, or with `enable_lora: true`: without it vLLM ignores them and
    serves no adapter."""
    engine = entry.spec.engine_config
    if engine.engine_kwargs.get("enable_lora") or engine.lora_config is not None:
        return
    for name in engine.engine_kwargs:
        if name in _ADAPTER_ARGUMENTS:
            position = entry.position((*_KWARGS, name))
            message = f"`{name}` has no effect without `enable_lora: true`"
            hint = "write `enable_lora: true` beside it, or remove it"
            yield Diagnostic(position, "adapters-enabled", message, hint, Severity.WARNING)


def adapters_refused(entry: ModelEntry) -> Iterator[Diagnostic]:
    """A model with `lora_config` has its engine started for adapters."""
    engine = entry.spec.engine_config
    if engine.lora_config is not None and not engine.engine_kwargs.get("enable_lora", True):
        position = entry.position((*_KWARGS, "enable_lora"))
        message = "the engine serves no adapter, and `lora_config` asks for some"
        yield Diagnostic(position, rule_name(adapters_refused), message, "remove it, or `lora_config`")


def adapters_of_the_engine(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The gateway knows the adapters of `lora_config`, and none that vLLM loads by itself."""
    if entry.spec.engine_config.engine_kwargs.get("lora_modules"):
        position = entry.position((*_KWARGS, "lora_modules"))
        message = "nobody reaches the adapters of `lora_modules`: the gateway does not know them"
        hint = "write them in `engine_config.lora_config.adapters`, where a change restarts nothing"
        yield Diagnostic(position, rule_name(adapters_of_the_engine), message, hint, Severity.WARNING)


def adapter_source(entry: ModelEntry) -> Iterator[Diagnostic]:
    """An adapter is in a folder on every node, in a bucket of `s3://` or `gs://`, or on the Hugging Face Hub. Those
    that requests find by name are in a folder or a bucket."""
    lora = entry.spec.engine_config.lora_config
    if lora is None:
        return
    path = lora.dynamic_lora_loading_path
    if path is not None and not _IN_A_FOLDER.match(path):
        position = entry.position((*_LORA, "dynamic_lora_loading_path"))
        message = f"adapters cannot be looked for in {quoted(path)}"
        hint = "write an absolute path, or a bucket of `s3://` or `gs://`"
        yield Diagnostic(position, rule_name(adapter_source), message, hint)
    for index, adapter in enumerate(lora.adapters):
        place: KeyPath = (*_LORA, "adapters", index)
        if not _IN_A_FOLDER.match(adapter.source) and not _ON_THE_HUB.fullmatch(adapter.source):
            message = f"the adapter {quoted(adapter.id)} cannot be loaded from {quoted(adapter.source)}"
            hint = "write an absolute path, a bucket of `s3://` or `gs://`, or a Hugging Face id"
            yield Diagnostic(entry.position((*place, "source")), rule_name(adapter_source), message, hint)
        elif adapter.revision is not None and _IN_A_FOLDER.match(adapter.source):
            message = "only a Hugging Face id has a revision"
            yield Diagnostic(entry.position((*place, "revision")), rule_name(adapter_source), message, "remove it")


def duplicate_adapter(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Each adapter of a model has an id of its own."""
    lora = entry.spec.engine_config.lora_config
    first: dict[str, Adapter] = {}
    for index, adapter in enumerate(lora.adapters if lora else ()):
        if first.setdefault(adapter.id, adapter) is not adapter:
            message = f"there are two adapters {quoted(adapter.id)}"
            position = entry.position((*_LORA, "adapters", index, "id"))
            yield Diagnostic(position, rule_name(duplicate_adapter), message, "remove one, or give it another id")


ADAPTER_CHECKS: tuple[ModelCheck, ...] = (
    adapter_source,
    adapters_enabled,
    adapters_of_the_engine,
    adapters_refused,
    duplicate_adapter,
)
"""The checks of this module."""
