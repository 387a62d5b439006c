"""Ids by which clients ask for a model, and the names they become in Ray Serve."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.model_id import GATEWAY_APPLICATION, MAX_MODEL_ID_LENGTH, application_name, is_model_id
from reconciler.registry.outline import ModelOutline, Placed, RegistryOutline, aliases
from reconciler.registry.quoted import quoted

if TYPE_CHECKING:
    from reconciler.registry.key_path import KeyPath
    from reconciler.registry.registry import ModelEntry

_MODEL_ID: "KeyPath" = ("engine_config", "model_id")


def model_id_characters(entry: "ModelEntry") -> Iterable[Diagnostic]:
    """An id goes into URLs, file names and Ray names, and in `ray.serve.llm` a `:` addresses an adapter."""
    for path, model_id in ((_MODEL_ID, entry.spec.model_id), *aliases(entry.spec)):
        if not is_model_id(model_id):
            message = f"{quoted(model_id)} cannot be a model id"
            hint = (
                f"write up to {MAX_MODEL_ID_LENGTH} letters, digits, `.`, `_` and `-` in parts joined by `/`, "
                "each beginning with a letter or digit"
            )
            yield Diagnostic(entry.position(path), rule_name(model_id_characters), message, hint)


def reserved_model_id(entry: "ModelEntry") -> Iterable[Diagnostic]:
    """The gateway's application has a name of its own."""
    if application_name(entry.spec.model_id) == GATEWAY_APPLICATION:
        message = f"the name `{GATEWAY_APPLICATION}` belongs to the gateway"
        hint = "give the model another id, such as `organization/gateway`"
        yield Diagnostic(entry.position(_MODEL_ID), rule_name(reserved_model_id), message, hint)


def duplicate_model_id(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """One file for each model, enabled or not."""
    first: dict[str, ModelOutline] = {}
    for model in registry.models:
        other = first.setdefault(model.model_id.value, model)
        if other is not model:
            message = f"the model {quoted(model.model_id.value)} is already in {_place(other, other.model_id)}"
            hint = "remove one of the files, or give the model another id and set `hf_model_id`"
            yield Diagnostic(model.position(model.model_id), rule_name(duplicate_model_id), message, hint)


def application_name_collision(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Two ids must not become one application: `a/b` and `a--b`, `x.y` and `x_y`."""
    first: dict[str, ModelOutline] = {}
    for model in registry.models:
        name = application_name(model.model_id.value)
        other = first.setdefault(name, model)
        if other.model_id.value != model.model_id.value:
            message = (
                f"{quoted(model.model_id.value)} and {quoted(other.model_id.value)} in "
                f"{_place(other, other.model_id)} are both the application {quoted(name)} in Ray Serve"
            )
            hint = "give one of them another id and set `hf_model_id`"
            yield Diagnostic(model.position(model.model_id), rule_name(application_name_collision), message, hint)


def alias_clash(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """An alias reaches one model, and is no model's id."""
    takers: dict[str, tuple[ModelOutline, Placed[str]]] = {}
    for model in registry.models:
        takers.setdefault(model.model_id.value, (model, model.model_id))
    for model in registry.models:
        for alias in model.aliases:
            other, taken = takers.setdefault(alias.value, (model, alias))
            if taken is not alias:
                what = "the id of a model" if taken is other.model_id else "an alias"
                message = f"the alias {quoted(alias.value)} is already {what} in {_place(other, taken)}"
                yield Diagnostic(model.position(alias), rule_name(alias_clash), message, "remove one of them")


def _place(model: ModelOutline, placed: Placed[str]) -> str:
    return f"`{model.file}:{placed.line}`"
