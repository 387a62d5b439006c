"""What runs on a cluster as files of the registry.

An application of ours whose file is gone gets it back, and the next plan is empty. One of somebody else's with models
of `ray.serve.llm` becomes files, from which the registry serves them beside it. Whatever has its file stays untouched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.dialects import llm_config
from reconciler.registry.dialects.dialect import CANONICAL
from reconciler.registry.dialects.translation import Fate, KeyFate, Translation
from reconciler.registry.imports.checked_file import checked_file
from reconciler.registry.imports.imported import Imported, together
from reconciler.registry.imports.live_engines import ELSEWHERE, canonical
from reconciler.registry.imports.live_route import with_adapters, with_route
from reconciler.registry.imports.plain_document import plain_document
from reconciler.registry.imports.serve_config import import_serve_config
from reconciler.registry.imports.serve_environment import node_references
from reconciler.registry.imports.source import Source
from reconciler.registry.model_id import GATEWAY_APPLICATION
from reconciler.registry.quoted import quoted


@dataclass(frozen=True, slots=True)
class Running:
    """One application on a cluster."""

    name: str
    config: Mapping[str, Any] | None
    """As it was submitted; None for one that a program deployed, which Ray does not tell."""
    owner: str | None
    """The registry it belongs to."""
    is_engine: bool
    """Whether it runs the registry's own server of models."""


@dataclass(frozen=True, slots=True)
class LiveImport:
    """What was found on a cluster."""

    imported: Imported
    untouched: tuple[str, ...]
    """Names of the applications that are the registry's own and have their file, sorted."""


def import_live(
    cluster: str,
    owner: str,
    running: Sequence[Running],
    registered: Iterable[str],
    clusters: tuple[str, ...] = (),
) -> LiveImport:
    """The models on `cluster`. `registered` are the ids of those that have files; `clusters` is written in new ones."""
    known = frozenset(registered)
    routes = _routes(running, owner)
    parts: list[Imported] = []
    untouched: list[str] = []
    for each in running:
        file = f"live/{cluster}/{each.name}"
        ours = each.owner == owner
        if ours and each.name == GATEWAY_APPLICATION:
            untouched.append(each.name)
        elif ours and each.is_engine and each.config is not None:
            model_id = _model_id(each.config)
            if model_id in known:
                untouched.append(each.name)
            else:
                parts.append(_own(file, each, each.config, routes.get(str(model_id), {}), clusters))
        else:
            parts.append(_foreign(file, each, clusters))
    return LiveImport(together(parts), tuple(sorted(untouched)))


def _own(
    file: str, each: Running, config: Mapping[str, Any], route: Mapping[str, Any], clusters: tuple[str, ...]
) -> Imported:
    """The file of an application of ours. Compiled again it is the same application."""
    given = config.get("args", {}).get("llm_config")
    environment = config.get("runtime_env") or {}
    kept = {key: node_references(environment[key]) for key in ("env_vars", "pip") if key in environment}
    comment = f"Imported from {file}, which this registry owns."
    if not isinstance(given, Mapping):
        other = canonical(config, route)
        if other is None:
            return _not_importable(file, "it holds no model")
        if kept:
            other["engine_config"]["runtime_env"] = kept
        document = plain_document(file, other)
        translation = with_route(CANONICAL.translate(document), route, Position(file))
        return checked_file(document, _for_clusters(translation, clusters), [comment])
    deployments = config.get("deployments") or [{}]
    options = {key: value for key, value in deployments[0].items() if key not in ELSEWHERE}
    value = {**given, "deployment_config": {**(given.get("deployment_config") or {}), **options}}
    if kept:
        value["runtime_env"] = kept
    document = plain_document(file, value)
    translation = with_adapters(llm_config.translate(document), deployments[0].get("user_config"), Position(file))
    translation = with_route(translation, route, Position(file))
    return checked_file(document, _for_clusters(translation, clusters), [comment])


def _foreign(file: str, each: Running, clusters: tuple[str, ...]) -> Imported:
    if each.config is None:
        return _not_importable(file, "a program deployed it, and Ray does not tell its config")
    if each.owner is not None:
        return _not_importable(file, f"it belongs to the registry {quoted(each.owner)}")
    document = plain_document(file, {"applications": [dict(each.config)]})
    imported = import_serve_config(document, _nowhere, clusters)
    diagnostics = tuple(_of_live(problem) for problem in imported.diagnostics)
    if imported.files:
        message = f"{quoted(each.name)} is not the registry's: `apply` serves its models beside it"
        hint = f"delete {quoted(each.name)} when the registry's own applications serve"
        beside = Diagnostic(Position(file), "served-twice", message, hint, Severity.WARNING)
        diagnostics = (*diagnostics, beside)
    return replace(imported, diagnostics=diagnostics)


def _of_live(problem: Diagnostic) -> Diagnostic:
    """A problem in the words of a cluster instead of those of a file."""
    if problem.rule == "missing-file":
        message = "the application names a file on the cluster, which cannot be read from here"
        return replace(problem, message=message, hint="import that file by itself")
    if problem.rule == "no-model":
        return replace(problem, rule="not-importable", hint=None, severity=Severity.WARNING)
    return problem


def _not_importable(file: str, reason: str) -> Imported:
    position = Position(file)
    fate = KeyFate(("applications",), position, Fate.REFUSED, None, reason)
    message = f"the application cannot be imported: {reason}"
    return Imported((), (fate,), (Diagnostic(position, "not-importable", message, None, Severity.WARNING),))


def _for_clusters(translation: Translation, clusters: tuple[str, ...]) -> Translation:
    return replace(translation, value={**translation.value, "clusters": list(clusters)}) if clusters else translation


def _routes(running: Sequence[Running], owner: str) -> Mapping[str, Mapping[str, Any]]:
    """The gateway's routing table, by model id: it knows what no engine does."""
    for each in running:
        if each.name == GATEWAY_APPLICATION and each.owner == owner and each.config is not None:
            for deployment in each.config.get("deployments") or ():
                models = (deployment.get("user_config") or {}).get("models")
                if isinstance(models, Mapping):
                    return models
    return {}


def _model_id(config: Mapping[str, Any]) -> str | None:
    args = config.get("args", {})
    loading = (args.get("llm_config") or {}).get("model_loading_config") or {}
    found = loading.get("model_id", args.get("model_id"))
    return found if isinstance(found, str) else None


def _nowhere(reference: str, file: str) -> tuple[Source, ...]:
    del reference, file
    return ()
