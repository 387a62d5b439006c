"""Applications that are ill, and replica counts outside the registry's bounds."""

from collections.abc import Iterator

from reconciler.diagnostics import Position
from reconciler.drift.report import Finding, FindingKind, Origin, Severity
from reconciler.plan.text import first_line, plural
from reconciler.state.desired import DesiredApplication
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState

_ILL_APPLICATION = frozenset({ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY})
_ILL_DEPLOYMENT = frozenset({"DEPLOY_FAILED", "UNHEALTHY"})


def ill(there: LiveApplication, position: Position | None, differs: bool) -> Iterator[Finding]:
    """What Ray says of an application that does not run; `differs` is whether its config is not the registry's."""
    deployments = [deployment for deployment in there.deployments if deployment.status in _ILL_DEPLOYMENT]
    if there.status not in _ILL_APPLICATION and not deployments:
        return
    messages = (there.message, *(deployment.message for deployment in deployments))
    because = next((line for message in messages if (line := first_line(message))), "")
    what = there.status if there.status in _ILL_APPLICATION else f"its deployment is {deployments[0].status}"
    yield Finding(
        FindingKind.HEALTH,
        there.name,
        (f"{what}: {because}" if because else str(what)) + _who_serves(there),
        _cure(there.status, differs),
        Severity.ERROR,
        Origin.CLUSTER,
        position=position,
    )


def _who_serves(there: LiveApplication) -> str:
    """Who answers meanwhile: after a config that failed those that were there before."""
    if there.status is not ApplicationStatus.DEPLOY_FAILED:
        return ""
    serving = len(there.replica_ids) + len(there.unlisted)
    if not serving:
        return " (nothing serves)"
    return f" ({plural(serving, 'replica')} of an earlier version {'serves' if serving == 1 else 'serve'} on)"


def _cure(status: ApplicationStatus, differs: bool) -> str:
    if differs:
        return "`reconcile apply` deploys the registry's config in place of the one that is ill"
    if status is ApplicationStatus.DEPLOY_FAILED:
        return "mend the cause or change the model, then `reconcile apply`"
    return "Ray starts ill replicas again by itself; if it stays so, look into their logs"


def out_of_bounds(
    entry: DesiredApplication, there: LiveApplication, live: LiveState, position: Position | None
) -> Iterator[Finding]:
    """A target that the autoscaler could not have chosen by the registry's bounds."""
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
            Severity.WARNING,
            position=position,
        )
