"""Putting together what the cluster reports and what its replicas say into a StatusReport."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from reconciler.plan.holders import replica_bundles
from reconciler.plan.match import is_owned
from reconciler.state.accelerators import accelerators
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveApplication, LiveDeployment, LiveState, Replica
from reconciler.state.names import GATEWAY_APPLICATION
from reconciler.state.work import ReplicaWork, UnknownWork, Work
from reconciler.status.report import ApplicationReport, DeploymentReport, Load, ReplicaReport, StatusReport

_NO_REPLICA = UnknownWork("no replica runs")


def observe(desired: DesiredState, live: LiveState, work: Work | UnknownWork, time: str) -> StatusReport:
    """What there is on the cluster at `time` (ISO 8601), and what the registry wants and is not there."""
    present = {entry.name: entry for entry in live.applications}
    ours = {name for name, entry in present.items() if is_owned(entry, desired.owner)}
    wanted = {entry.name: entry for entry in desired.applications}
    names = [*_sorted({*wanted, *ours}), *sorted({*present} - {*wanted} - ours)]
    return StatusReport(
        cluster=desired.cluster,
        time=time,
        ray_version=live.ray_version,
        applications=tuple(
            _application(name, wanted.get(name), present.get(name), name in ours, work) for name in names
        ),
        nodes=live.nodes,
        accelerators=accelerators(desired, live),
        untold=work.reason if isinstance(work, UnknownWork) else None,
    )


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name != GATEWAY_APPLICATION, name))


def _application(
    name: str,
    entry: DesiredApplication | None,
    there: LiveApplication | None,
    is_ours: bool,
    work: Work | UnknownWork,
) -> ApplicationReport:
    counts = is_ours and name != GATEWAY_APPLICATION
    said = _said(there, work) if there is not None and counts else _NO_REPLICA
    position = entry.model.position() if entry and entry.model else None
    model_id = entry.model.model_id if entry and entry.model else None
    if there is None:
        return ApplicationReport(
            name, model_id, True, True, None, True, None, "", None, (), (), None, _NO_REPLICA.reason, position
        )
    return ApplicationReport(
        name=name,
        model_id=model_id,
        ours=is_ours,
        wanted=entry is not None,
        owner=there.application.owner if there.application else None,
        declarative=there.declarative,
        status=there.status,
        message=there.message,
        route_prefix=there.route_prefix,
        deployments=tuple(_deployment(there, deployment, said) for deployment in there.deployments),
        unlisted=there.unlisted,
        load=None if isinstance(said, UnknownWork) else _load(said),
        untold=said.reason if isinstance(said, UnknownWork) and counts else None,
        position=position,
    )


def _said(there: LiveApplication, work: Work | UnknownWork) -> tuple[ReplicaWork, ...] | UnknownWork:
    """What the running replicas said, all of them, or why that is not known."""
    running = there.replica_ids
    if not running:
        return _NO_REPLICA
    said = work if isinstance(work, UnknownWork) else work.of(there.name)
    if isinstance(said, UnknownWork):
        return said
    named = [one for one in said if one.replica_id in running]
    nameless = [one for one in said if one.replica_id is None]
    if len(named) + len(nameless) < len(running):
        return UnknownWork("not every replica answered")
    return tuple(named + nameless)


def _load(said: tuple[ReplicaWork, ...]) -> Load:
    ongoing = sum(one.ongoing for one in said)
    # Who has had no request has at least not had one for as long as it counts.
    idle_s, is_longer = min((one.watched_s, True) if one.last_s is None else (one.last_s, False) for one in said)
    return Load(
        ongoing=ongoing,
        requests=sum(one.requests for one in said),
        idle_s=0.0 if ongoing else idle_s,
        idle_for_longer=is_longer and not ongoing,
        busy=sum(one.ongoing > 0 for one in said),
    )


def _deployment(
    there: LiveApplication, deployment: LiveDeployment, said: tuple[ReplicaWork, ...] | UnknownWork
) -> DeploymentReport:
    answers = {} if isinstance(said, UnknownWork) else {one.replica_id: one for one in said}
    if None in answers and len(answers) == len(deployment.running) == 1:
        answers = {deployment.running[0]: answers[None]}
    limit = deployment.options.get("max_ongoing_requests")
    return DeploymentReport(
        name=deployment.name,
        status=deployment.status,
        message=deployment.message,
        target=deployment.target_num_replicas,
        replicas=tuple(
            _replica(replica, answers.get(replica.replica_id))
            for replica in sorted(deployment.replicas, key=lambda replica: replica.replica_id)
        ),
        max_ongoing=limit if isinstance(limit, int) else None,
        router=_router(deployment.options),
        resources=replica_bundles(there, deployment).total,
    )


def _replica(replica: Replica, work: ReplicaWork | None) -> ReplicaReport:
    started = replica.started_s
    since = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds") if started else None
    return ReplicaReport(replica.replica_id, replica.state, replica.node_id, since, work)


def _router(options: Mapping[str, JsonValue]) -> str | None:
    """The name of the class (`RequestRouterConfig.request_router_class`)."""
    config = options.get("request_router_config")
    path = config.get("request_router_class") if isinstance(config, Mapping) else None
    return path.replace(":", ".").rpartition(".")[2] if isinstance(path, str) else None
