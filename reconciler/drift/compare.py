"""Comparing what should be with what is into a DriftReport.

Only what nobody asked for is drift: a replica count that the autoscaler chose within its bounds is not, nor is an
application on its way to the registry's config.
"""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Position
from reconciler.drift.report import DriftReport, Finding, FindingKind
from reconciler.plan.match import difference, is_owned
from reconciler.plan.text import first_line, plural
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState

_ILL_APPLICATION = frozenset({ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY})
_ILL_DEPLOYMENT = frozenset({"DEPLOY_FAILED", "UNHEALTHY"})
_ORDER = {kind: rank for rank, kind in enumerate(FindingKind)}


def find_drift(desired: DesiredState, live: LiveState) -> DriftReport:
    """Everything on the cluster that is not as the registry says, sorted by application."""
    present = {entry.name: entry for entry in live.applications if entry.status is not ApplicationStatus.DELETING}
    wanted = {entry.name: entry for entry in desired.applications}
    findings = [
        *(finding for entry in desired.applications for finding in _wanted(entry, present, desired.owner, live)),
        *(_unwanted(entry, desired.owner) for name, entry in present.items() if name not in wanted),
        *(
            _namesake(present[name])
            for name in wanted
            if name in present and not is_owned(present[name], desired.owner)
        ),
    ]
    adrift = {finding.application for finding in findings}
    return DriftReport(
        cluster=desired.cluster,
        findings=tuple(sorted(findings, key=lambda finding: (finding.application, _ORDER[finding.kind]))),
        in_sync=tuple(sorted(name for name in wanted if name not in adrift)),
    )


def _wanted(
    entry: DesiredApplication, present: Mapping[str, LiveApplication], owner: str, live: LiveState
) -> Iterator[Finding]:
    position = entry.model.position() if entry.model else None
    there = present.get(entry.name)
    if there is None:
        yield Finding(
            FindingKind.MISSING, entry.name, "is not on the cluster", "`reconcile apply` creates it", position=position
        )
    elif not is_owned(there, owner):
        yield Finding(
            FindingKind.MISSING,
            entry.name,
            "is not on the cluster: an application of somebody else has its name",
            "delete that application, or give the model another `model_id`",
            position=position,
        )
    else:
        fields = difference(entry, there, live).fields
        if fields:
            yield Finding(
                FindingKind.CONFIG,
                entry.name,
                f"{plural(len(fields), 'field')} changed on the cluster or in the registry",
                "`reconcile apply` brings the registry's values back; or write the live ones there",
                fields,
                position,
            )
        yield from _health(there, position, bool(fields))
        yield from _scale(entry, there, live, position)


def _health(there: LiveApplication, position: Position | None, differs: bool) -> Iterator[Finding]:
    ill = [deployment for deployment in there.deployments if deployment.status in _ILL_DEPLOYMENT]
    if there.status not in _ILL_APPLICATION and not ill:
        return
    messages = (there.message, *(deployment.message for deployment in ill))
    because = next((line for message in messages if (line := first_line(message))), "")
    what = there.status if there.status in _ILL_APPLICATION else f"its deployment is {ill[0].status}"
    yield Finding(
        FindingKind.HEALTH,
        there.name,
        f"{what}: {because}" if because else str(what),
        _cure(there.status, differs),
        position=position,
    )


def _cure(status: ApplicationStatus, differs: bool) -> str:
    if differs:
        return "`reconcile apply` deploys the registry's config in place of the one that is ill"
    if status is ApplicationStatus.DEPLOY_FAILED:
        return "change the model: Ray does not try the same config again"
    return "Ray starts ill replicas again by itself; if it stays so, look into their logs"


def _scale(
    entry: DesiredApplication, there: LiveApplication, live: LiveState, position: Position | None
) -> Iterator[Finding]:
    # A capacity target scales every bound down, and an application that is being built has no deployments yet.
    if not there.deployments or live.options.get("target_capacity") is not None:
        return
    target = sum(deployment.target_num_replicas for deployment in there.deployments)
    if not entry.min_replicas <= target <= entry.max_replicas:
        yield Finding(
            FindingKind.SCALE,
            entry.name,
            f"Ray aims at {plural(target, 'replica')}; the registry allows {entry.min_replicas} to "
            f"{entry.max_replicas}",
            "`reconcile apply` brings the registry's bounds back; within them the autoscaler decides",
            position=position,
        )


def _unwanted(there: LiveApplication, owner: str) -> Finding:
    if not is_owned(there, owner):
        return _namesake(there)
    return Finding(
        FindingKind.ORPHANED,
        there.name,
        "is ours, and the registry does not call for it any more",
        "`reconcile apply` deletes it; to keep it, bring its model file back",
    )


def _namesake(there: LiveApplication) -> Finding:
    owner = there.application.owner if there.application else None
    whose = f"belongs to `{owner}`" if owner else "deployed by somebody else"
    return Finding(FindingKind.UNMANAGED, there.name, whose, "nothing to do: what is not ours is never changed")
