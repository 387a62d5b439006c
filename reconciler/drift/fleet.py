"""The fleet at a glance: how every application of the registry stands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.drift.report import Finding, FindingKind, Member, Origin, Standing
from reconciler.drift.running import Running
from reconciler.state.accelerators import accelerator_of
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState

_RANK = {standing: rank for rank, standing in enumerate(Standing)}


def fleet(
    desired: DesiredState, live: LiveState, findings: Iterable[Finding], runs: Mapping[str, Running]
) -> tuple[Member, ...]:
    """One member for each application that the registry wants, in its order. `runs` has what the replicas of each
    say, by its name."""
    by_name: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_name[finding.application].append(finding)
    present = {entry.name: entry for entry in live.applications if entry.status is not ApplicationStatus.DELETING}
    return tuple(
        _member(entry, present.get(entry.name), by_name[entry.name], runs[entry.name]) for entry in desired.applications
    )


def _member(entry: DesiredApplication, there: LiveApplication | None, findings: list[Finding], runs: Running) -> Member:
    deployments = there.deployments if there else ()
    return Member(
        application=entry.name,
        model_id=entry.model.model_id if entry.model else None,
        standing=_standing(there, findings),
        status=there.status.value if there else "",
        running=sum(len(deployment.running) for deployment in deployments),
        target=sum(deployment.target_num_replicas for deployment in deployments),
        min_replicas=entry.min_replicas,
        max_replicas=entry.max_replicas,
        gpus=entry.bundles.total.get("GPU", 0.0),
        accelerator=accelerator_of(entry.bundles.total),
        position=entry.model.position() if entry.model else None,
        versions=runs.versions,
        revisions=runs.revisions,
    )


def _standing(there: LiveApplication | None, findings: list[Finding]) -> Standing:
    standings = [_of(finding) for finding in findings]
    if there is not None and there.status in (ApplicationStatus.DEPLOYING, ApplicationStatus.NOT_STARTED):
        standings.append(Standing.PENDING)
    return max(standings, key=_RANK.__getitem__, default=Standing.IN_SYNC)


def _of(finding: Finding) -> Standing:
    if finding.origin is Origin.REGISTRY:
        return Standing.PENDING
    return Standing.FAILING if finding.kind in (FindingKind.HEALTH, FindingKind.MISSING) else Standing.DRIFTED
