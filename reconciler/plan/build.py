"""Building the Plan from what should be and what is. Pure: no clock, no order of files, no network."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.plan.caution import cautions
from reconciler.plan.change import Change
from reconciler.plan.document import carry_out, document, live_configs
from reconciler.plan.footing import Footing, footing, room_of
from reconciler.plan.guards import Situation, objections
from reconciler.plan.intent import action
from reconciler.plan.match import Match, difference, match
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Action, Hold, Plan, Source, Wave
from reconciler.plan.routes import by_application, gateway_beside_holds, live_routes
from reconciler.plan.waves import Refusal, Schedule, schedule
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.state.capacity import Capacity, add_up, times
from reconciler.state.desired import DesiredState, RuntimePackages
from reconciler.state.json_value import digest
from reconciler.state.live import LiveState, UnknownState
from reconciler.state.names import GATEWAY_APPLICATION

__all__ = ["PlanOptions", "PlanRefused", "build_plan", "source_digest"]


class PlanRefused(Exception):
    """Nothing can be planned: why, and what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def build_plan(
    desired: DesiredState,
    live: LiveState | UnknownState,
    *,
    address: str,
    source: Source,
    options: PlanOptions,
) -> Plan:
    """What one apply would do to the cluster at `address`. Raises `PlanRefused` when its state is unknown."""
    if isinstance(live, UnknownState):
        raise PlanRefused(live.reason, live.hint)
    found = match(desired, live)
    room, node_index = room_of(live)
    footings = {candidate.name: footing(candidate, node_index) for candidate in found.candidates}
    refused = {
        name: Refusal(footings[name], objection.guard, objection.reason, objection.release)
        for name, objection in objections(Situation(found, live, options, desired.owner)).items()
    }
    free_to_go = (one for name, one in footings.items() if name not in refused)
    scheduled = schedule(free_to_go, room, allow_downtime=options.allow_downtime)
    refused |= {refusal.footing.name: refusal for refusal in scheduled.refusals}
    footings = _with_honest_gateway(footings, desired, live, found, refused)
    model_ids = {name: model_id for name, (model_id, _) in by_application(live_routes(found.owned)).items()}
    return Plan(
        cluster=desired.cluster,
        address=address,
        ray_version=live.ray_version,
        source=source,
        live_fingerprint=live.fingerprint,
        waves=tuple(_waves(scheduled, footings, live, model_ids)),
        holds=tuple(
            Hold(action(one.footing, None, model_ids), one.guard, one.reason, one.release)
            for _, one in sorted(refused.items())
        ),
        unmanaged=found.unmanaged,
        capacity=_capacity(desired, live, scheduled),
        warnings=cautions(desired, live, found, room),
        options=options,
    )


def source_digest(registry: Registry, cluster: ClusterEntry, packages: RuntimePackages) -> str:
    """SHA-256 over what a plan is computed from, except the cluster's state: the canonical models that the cluster is
    to serve, the cluster's settings and the code packages. Neither comments nor the order of files count."""
    return digest(
        {
            "cluster": {"name": cluster.name, **cluster.cluster.model_dump(mode="json")},
            "models": {
                entry.spec.model_id: entry.spec.model_dump(mode="json") for entry in registry.models_of(cluster)
            },
            "packages": {"engine": packages.engine, "gateway": packages.gateway},
        }
    )


def _with_honest_gateway(
    footings: Mapping[str, Footing],
    desired: DesiredState,
    live: LiveState,
    found: Match,
    refused: Mapping[str, Refusal],
) -> dict[str, Footing]:
    """The footings with a gateway whose routing table leaves held models as they are; without it when nothing but
    those entries would have changed."""
    result = dict(footings)
    gateway = result.get(GATEWAY_APPLICATION)
    if gateway is None or not refused or GATEWAY_APPLICATION in refused:
        return result
    present = {entry.name for entry in found.owned}
    entry = gateway_beside_holds(desired, live_routes(found.owned), refused.keys(), present)
    there = gateway.candidate.live
    if there is None:
        change = replace(gateway.candidate.change, after=entry.application)
    else:
        change = difference(entry, there, live)
    if _is_empty(change):
        del result[GATEWAY_APPLICATION]
    else:
        candidate = replace(gateway.candidate, desired=entry, change=change)
        result[GATEWAY_APPLICATION] = replace(gateway, candidate=candidate)
    return result


def _is_empty(change: Change) -> bool:
    return change.before is not None and not change.fields


def _waves(
    scheduled: Schedule, footings: Mapping[str, Footing], live: LiveState, model_ids: Mapping[str, str]
) -> Iterator[Wave]:
    configs = live_configs(live)
    for steps in scheduled.waves:
        actions: tuple[Action, ...] = tuple(
            action(footings[step.footing.name], step.rollout, model_ids)
            for step in steps
            if step.footing.name in footings
        )
        if actions:
            configs = carry_out(configs, actions)
            yield Wave(actions, document(live, configs))


def _capacity(desired: DesiredState, live: LiveState, scheduled: Schedule) -> Capacity:
    return Capacity(
        total=add_up(node.total for node in live.nodes),
        used=add_up(node.used for node in live.nodes),
        needed=add_up(times(entry.bundles.total, entry.min_replicas) for entry in desired.applications),
        peak={resource: scheduled.peak[resource] for resource in sorted(scheduled.peak)},
    )
