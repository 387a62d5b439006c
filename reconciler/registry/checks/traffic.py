"""Which models answer for others: canaries and fallbacks."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.outline import ModelOutline, Placed, RegistryOutline
from reconciler.registry.quoted import quoted

if TYPE_CHECKING:
    from reconciler.registry.key_path import KeyPath
    from reconciler.registry.registry import ModelEntry

_PLACES: "dict[str, KeyPath]" = {"canary": ("traffic", "canary", "model"), "fallback": ("traffic", "fallback")}


def traffic_to_itself(entry: "ModelEntry") -> Iterable[Diagnostic]:
    """A canary or a fallback is another model."""
    canary = entry.spec.traffic.canary
    named = {"canary": canary.model if canary else None, "fallback": entry.spec.traffic.fallback}
    for role, model_id in named.items():
        if model_id in (entry.spec.model_id, *entry.spec.engine_config.aliases):
            message = f"the {role} of {quoted(entry.spec.model_id)} is the model itself"
            position = entry.position(_PLACES[role])
            yield Diagnostic(position, rule_name(traffic_to_itself), message, "name another model, or remove it")


def unknown_traffic(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """A canary or a fallback is a model of this registry that is enabled, named by its id."""
    models = _by_id(registry)
    for model, role, named in _named(registry):
        found = models.get(named.value)
        if found is not None and found.enabled:
            continue
        if found is not None:
            message = f"{quoted(named.value)}, the {role} of {quoted(model.model_id.value)}, is not enabled"
            hint = f"enable it in `{found.file}`, or remove it here first"
        else:
            message = f"there is no model {quoted(named.value)} to be the {role} of {quoted(model.model_id.value)}"
            hint = _instead(registry, named.value, models)
        yield Diagnostic(model.position(named), rule_name(unknown_traffic), message, hint)


def traffic_kind(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """A model that generates text cannot answer for one that makes embeddings, nor the other way round."""
    models = _by_id(registry)
    for model, role, named in _named(registry):
        found = models.get(named.value)
        if found is not None and found.kind != model.kind:
            message = (
                f"{quoted(named.value)} is of another kind ({found.kind}) than {quoted(model.model_id.value)} "
                f"({model.kind}), whose {role} it is to be"
            )
            yield Diagnostic(model.position(named), rule_name(traffic_kind), message, "name a model of the same kind")


def traffic_cycle(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """Models do not answer for each other in a circle: each failure would be asked of all of them."""
    found = list(_named(registry))
    following: dict[str, list[str]] = {}
    for model, _, named in found:
        following.setdefault(model.model_id.value, []).append(named.value)
    for model, role, named in found:
        way = _way_back(following, named.value, model.model_id.value)
        if way is not None:
            circle = " → ".join(quoted(each) for each in (model.model_id.value, *way))
            message = f"the {role} leads back to this model: {circle}"
            yield Diagnostic(model.position(named), rule_name(traffic_cycle), message, "remove one of them")


def traffic_elsewhere(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """A canary or a fallback is served on every cluster on which the model is."""
    models = _by_id(registry)
    default = next((cluster.name for cluster in registry.clusters if cluster.default.value), None)
    if len(registry.clusters) == 1:
        default = registry.clusters[0].name
    for model, role, named in _named(registry):
        found = models.get(named.value)
        if found is None or not found.enabled:
            continue
        missing = sorted(_clusters(model, default) - _clusters(found, default))
        if missing:
            message = (
                f"{quoted(named.value)}, the {role} of {quoted(model.model_id.value)}, is not served on "
                f"{', '.join(quoted(each) for each in missing)}"
            )
            hint = f"add it to `clusters` in `{found.file}`"
            yield Diagnostic(model.position(named), rule_name(traffic_elsewhere), message, hint)


def _instead(registry: RegistryOutline, name: str, models: Iterable[str]) -> str:
    owners = (model.model_id.value for model in registry.models if name in (alias.value for alias in model.aliases))
    owner = next(owners, None)
    if owner is not None:
        return f"it is an alias: write {quoted(owner)}"
    near = get_close_matches(name, models, n=1)
    return f"did you mean {quoted(near[0])}?" if near else "write a file for it, or remove it here"


def _named(registry: RegistryOutline) -> Iterator[tuple[ModelOutline, str, Placed[str]]]:
    """Each enabled model with a model that is to answer for it, and as what. Itself is another rule's business."""
    for model in registry.models:
        for role, named in (("canary", model.canary), ("fallback", model.fallback)):
            if named is not None and model.enabled and named.value != model.model_id.value:
                yield model, role, named


def _by_id(registry: RegistryOutline) -> dict[str, ModelOutline]:
    return {model.model_id.value: model for model in registry.models}


def _clusters(model: ModelOutline, default: str | None) -> set[str]:
    if model.clusters is None:
        return {default} if default is not None else set()
    return {cluster.value for cluster in model.clusters}


def _way_back(following: dict[str, list[str]], start: str, goal: str) -> list[str] | None:
    """The shortest way from one model to another over those that answer for it; None when there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == goal:
            return way
        for each in following.get(way[-1], ()):
            if each not in seen:
                seen.add(each)
                ways.append([*way, each])
    return None
