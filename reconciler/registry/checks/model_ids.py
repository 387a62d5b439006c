"""Ids by which clients ask for a model, and the names they become in Ray Serve."""

from collections import defaultdict
from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.model_id import GATEWAY_APPLICATION, MAX_MODEL_ID_LENGTH, application_name, is_model_id
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import KeyPath, ModelEntry, Registry

_MODEL_ID: KeyPath = ("engine_config", "model_id")


def model_id_characters(entry: ModelEntry) -> Iterable[Diagnostic]:
    """An id goes into URLs, file names and Ray names, and in `ray.serve.llm` a `:` addresses an adapter."""
    ids = [(_MODEL_ID, entry.spec.model_id)]
    ids += [
        (("engine_config", "aliases", index), alias) for index, alias in enumerate(entry.spec.engine_config.aliases)
    ]
    for path, model_id in ids:
        if not is_model_id(model_id):
            message = f"{quoted(model_id)} cannot be a model id"
            hint = (
                f"write up to {MAX_MODEL_ID_LENGTH} letters, digits, `.`, `_` and `-` in parts joined by `/`, "
                "each beginning with a letter or digit"
            )
            yield Diagnostic(entry.position(path), rule_name(model_id_characters), message, hint)


def reserved_model_id(entry: ModelEntry) -> Iterable[Diagnostic]:
    """The gateway's application has a name of its own."""
    if application_name(entry.spec.model_id) == GATEWAY_APPLICATION:
        message = f"the name `{GATEWAY_APPLICATION}` belongs to the gateway"
        hint = "give the model another id, such as `organization/gateway`"
        yield Diagnostic(entry.position(_MODEL_ID), rule_name(reserved_model_id), message, hint)


def duplicate_model_id(registry: Registry) -> Iterable[Diagnostic]:
    """One file for each model, enabled or not."""
    first: dict[str, ModelEntry] = {}
    for entry in registry.models:
        other = first.setdefault(entry.spec.model_id, entry)
        if other is not entry:
            message = f"the model {quoted(entry.spec.model_id)} is already in {_place(other)}"
            hint = "remove one of the files, or give the model another id and set `hf_model_id`"
            yield Diagnostic(entry.position(_MODEL_ID), rule_name(duplicate_model_id), message, hint)


def application_name_collision(registry: Registry) -> Iterable[Diagnostic]:
    """Two ids must not become one application: `a/b` and `a--b`, `x.y` and `x_y`."""
    first: dict[str, ModelEntry] = {}
    for entry in registry.models:
        name = application_name(entry.spec.model_id)
        other = first.setdefault(name, entry)
        if other.spec.model_id != entry.spec.model_id:
            message = (
                f"{quoted(entry.spec.model_id)} and {quoted(other.spec.model_id)} in {_place(other)} are both the "
                f"application {quoted(name)} in Ray Serve"
            )
            hint = "give one of them another id and set `hf_model_id`"
            yield Diagnostic(entry.position(_MODEL_ID), rule_name(application_name_collision), message, hint)


def alias_clash(registry: Registry) -> Iterable[Diagnostic]:
    """An alias reaches one model, and is no model's id."""
    takers: dict[str, list[tuple[ModelEntry, KeyPath]]] = defaultdict(list)
    for entry in registry.models:
        takers[entry.spec.model_id].append((entry, _MODEL_ID))
    for entry in registry.models:
        for index, alias in enumerate(entry.spec.engine_config.aliases):
            path: KeyPath = ("engine_config", "aliases", index)
            for other, other_path in takers[alias][:1]:
                what = "an alias" if "aliases" in other_path else "the id of a model"
                message = f"the alias {quoted(alias)} is already {what} in {_place(other, other_path)}"
                yield Diagnostic(entry.position(path), rule_name(alias_clash), message, "remove one of them")
            takers[alias].append((entry, path))


def _place(entry: ModelEntry, path: KeyPath = _MODEL_ID) -> str:
    position = entry.position(path)
    return f"`{position.file}:{position.line}`"
