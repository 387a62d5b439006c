"""What runs against what was submitted: the options in effect, the routes of the gateway, versions and weights."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import Position
from reconciler.drift.report import DriftField, Finding, FindingKind, Origin, Severity, observed
from reconciler.plan.text import plural
from reconciler.state.desired import DesiredApplication
from reconciler.state.json_value import JsonValue, same
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment
from reconciler.state.names import GATEWAY_DEPLOYMENT
from reconciler.state.work import About, UnknownWork, Work

_NOT_IN_EFFECT = frozenset({"name", "num_replicas", "ray_actor_options", "placement_group_bundles"})
"""Options that the effective config repeats in another form, or not at all."""

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Running:
    """What the replicas of one application say they run; empty where they do not say."""

    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each library by its name, all that some replica runs, sorted."""
    revisions: tuple[str, ...] = ()
    """The commits of the weights that some replica has loaded, sorted."""


def running(name: str, work: Work | UnknownWork) -> Running:
    """What the replicas of an application say they run."""
    said = work if isinstance(work, UnknownWork) else work.of(name)
    abouts: list[About] = [] if isinstance(said, UnknownWork) else [one.about for one in said if one.about is not None]
    libraries = sorted({library for about in abouts for library in about.versions})
    return Running(
        versions={
            library: tuple(sorted({about.versions[library] for about in abouts if library in about.versions}))
            for library in libraries
        },
        revisions=tuple(
            sorted({about.weights.revision for about in abouts if about.weights and about.weights.revision})
        ),
    )


def in_effect(there: LiveApplication, position: Position | None) -> Iterator[Finding]:
    """Options that a healthy application was given and that are not those its deployments run with."""
    if there.status is not ApplicationStatus.RUNNING or there.application is None:
        return
    submitted = there.application.deployments
    found = [one for deployment in there.deployments for one in _other(deployment, submitted.get(deployment.name, {}))]
    if found:
        yield _finding(
            there.name,
            f"runs with {plural(len(found), 'other option')} than it was given",
            "`reconcile apply` after any change of the model sends its options again",
            position,
            *found,
        )


def routes(there: LiveApplication, work: Work | UnknownWork) -> Iterator[Finding]:
    """Models that the gateway was told of and that the gateway which answers does not know."""
    if isinstance(work, UnknownWork) or there.status is not ApplicationStatus.RUNNING or there.application is None:
        return
    user_config = there.application.deployments.get(GATEWAY_DEPLOYMENT, {}).get("user_config")
    told = user_config.get("models") if isinstance(user_config, dict) else None
    entries = told.items() if isinstance(told, dict) else ()
    lacking = sorted(
        model_id
        for model_id, route in entries
        if isinstance(route, dict) and route.get("application") not in work.applications
    )
    if lacking:
        named = ", ".join(f"`{model_id}`" for model_id in lacking)
        yield _finding(
            there.name,
            f"the gateway that answers does not know {named}, of which it was told",
            "does the address in the cluster file lead to this cluster's gateway? else `reconcile apply` after any "
            "change of a model sends the routes again",
            None,
            *(observed(f"routes.{model_id}", None, "told") for model_id in lacking),
        )


def versions(entry: DesiredApplication, found: Running, checked: Mapping[str, str]) -> Iterator[Finding]:
    """Replicas that run another release of a library than the registry was checked against, or several. `checked` has
    the version of each library that was; a release is its first two numbers."""
    mixed = [library for library, there in found.versions.items() if len(there) > 1]
    other = [
        library
        for library, there in found.versions.items()
        if library in checked and any(_release(one) != _release(checked[library]) for one in there)
    ]
    if mixed or other:
        told = [f"its replicas run different versions of {', '.join(mixed)}"] if mixed else []
        told += [f"runs another release of {', '.join(other)} than the registry is checked against"] if other else []
        yield _finding(
            entry.name,
            "; ".join(told),
            "bring the nodes to one image with the version that is checked, or use the reconcile that checks theirs",
            entry.model.position() if entry.model else None,
            *(
                observed(f"versions.{library}", ", ".join(found.versions[library]), checked.get(library))
                for library in sorted({*mixed, *other})
            ),
        )


def adapters(entry: DesiredApplication, work: Work | UnknownWork) -> Iterator[Finding]:
    """Adapters that some replica could not load."""
    said = work if isinstance(work, UnknownWork) else work.of(entry.name)
    failed: dict[str, str] = {}
    for one in () if isinstance(said, UnknownWork) else said:
        for name, adapter in one.about.adapters.items() if one.about else ():
            if adapter.state == "failed":
                failed.setdefault(name, adapter.reason)
    if failed:
        told = "; ".join(f"`{name}`: {reason}" if reason else f"`{name}`" for name, reason in failed.items())
        yield Finding(
            FindingKind.HEALTH,
            entry.name,
            f"cannot load {plural(len(failed), 'adapter')}: {told}",
            "mend where the adapter comes from: a replica tries again when somebody asks for it",
            Severity.ERROR,
            Origin.CLUSTER,
            position=entry.model.position() if entry.model else None,
        )


def weights(entry: DesiredApplication, found: Running) -> Iterator[Finding]:
    """Replicas that have loaded different weights, or others than the commit that the registry names."""
    pinned = _revision(entry)
    wrong = bool(pinned and _COMMIT.fullmatch(pinned) and found.revisions and found.revisions != (pinned,))
    if len(found.revisions) > 1 or wrong:
        yield _finding(
            entry.name,
            "its replicas have loaded different revisions of the weights"
            if len(found.revisions) > 1
            else "has loaded another revision of the weights than the registry names",
            "name a commit in `engine_kwargs.revision`, then `reconcile apply` replaces the replicas",
            entry.model.position() if entry.model else None,
            observed("weights.revision", ", ".join(one[:12] for one in found.revisions), pinned and pinned[:12]),
        )


def _revision(entry: DesiredApplication) -> str | None:
    """What the registry says of the revision: a commit, a branch or a tag."""
    args = entry.application.config.get("args") or {}
    kwargs = (args.get("llm_config") or {}).get("engine_kwargs") or {}
    revision = kwargs.get("revision")
    return revision if isinstance(revision, str) else None


def _release(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _finding(name: str, message: str, remedy: str, position: Position | None, *fields: DriftField) -> Finding:
    return Finding(
        FindingKind.RUNNING, name, message, remedy, Severity.WARNING, Origin.CLUSTER, fields=fields, position=position
    )


def _other(deployment: LiveDeployment, submitted: Mapping[str, JsonValue]) -> Iterator[DriftField]:
    where = f"deployments[{deployment.name}]"
    for option, value in sorted(submitted.items()):
        if option in _NOT_IN_EFFECT or option not in deployment.options or value is None:
            continue
        if not _agrees(value, deployment.options[option]):
            yield from _disagreeing(f"{where}.{option}", value, deployment.options[option])
    if deployment.options.get("user_config") and "user_config" not in submitted:
        # Ray keeps a `user_config` that is no longer given while the application stays healthy.
        yield observed(f"{where}.user_config", deployment.options["user_config"], None)


def _agrees(submitted: JsonValue, effective: JsonValue) -> bool:
    """Whether every value that was given is in effect; Ray fills in the rest with its defaults."""
    if isinstance(submitted, dict) and isinstance(effective, dict):
        return all(key not in effective or _agrees(value, effective[key]) for key, value in submitted.items())
    return same(submitted, effective)


def _disagreeing(path: str, submitted: JsonValue, effective: JsonValue) -> Iterator[DriftField]:
    """Every value that was given and is not in effect."""
    if isinstance(submitted, dict) and isinstance(effective, dict):
        for key, value in submitted.items():
            if key in effective:
                yield from _disagreeing(f"{path}.{key}", value, effective[key])
    elif not same(submitted, effective):
        yield observed(path, effective, submitted)
