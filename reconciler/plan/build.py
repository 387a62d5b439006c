"""Building the Plan from what should be and what is. Pure: no clock, no order of files, no network."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import cache, partial

from reconciler.plan.caution import cautions
from reconciler.plan.ceiling import ceiling, starving
from reconciler.plan.change import Change
from reconciler.plan.document import Configs, carry_out, document, live_configs, sent_along
from reconciler.plan.footing import Footing, footing
from reconciler.plan.gpu_hours import daily_cost
from reconciler.plan.guards import Situation, objections
from reconciler.plan.holders import holders, room_now, untold_use
from reconciler.plan.intent import action
from reconciler.plan.later import Later
from reconciler.plan.match import Match, difference, match
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Action, ActionKind, Hold, Plan, Source, Wave
from reconciler.plan.poison import poisoned
from reconciler.plan.refusal import Refusal
from reconciler.plan.routes import by_application, gateway_beside_holds, live_routes, routes_of
from reconciler.plan.selection import Selection, left_out, narrowed, select
from reconciler.plan.text import quoted
from reconciler.plan.undone_rollback import undone_rollback
from reconciler.plan.usage import Usage, unknown_usage
from reconciler.plan.waves import Schedule, schedule
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.state.capacity import Capacity, add_up, add_up_replicas, times
from reconciler.state.desired import DesiredState
from reconciler.state.elastic import Spare, spare_nodes, with_all
from reconciler.state.json_value import JsonValue, digest
from reconciler.state.live import LiveState, UnknownState
from reconciler.state.names import GATEWAY_APPLICATION, application_name
from reconciler.state.provenance import load_seconds
from reconciler.state.runtime_packages import RuntimePackages

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
    usage: Usage = None,
) -> Plan:
    """What one apply would do to the cluster at `address`. `usage` says who uses its models, as far as somebody asked
    (`plan.usage.deletes` says when it matters).

    Raises `PlanRefused` when its state is unknown, and `plan.selection.SelectionError` when the options name a model
    that is not there.
    """
    if isinstance(live, UnknownState):
        raise PlanRefused(live.reason, live.hint)
    found = match(desired, live)
    rest: tuple[str, ...] = ()
    selection = select(options.models, desired, live)
    if selection is not None:
        everything, desired = found, narrowed(desired, live, selection)
        found = selection.narrow(match(desired, live))
        rest = left_out(everything, found)
    room, node_index = room_now(live, _asked(desired))
    footings = {candidate.name: footing(candidate, node_index) for candidate in found.candidates}
    gateway = desired.application(GATEWAY_APPLICATION)
    wanted = routes_of(gateway.application if gateway else None)
    situation = Situation(found, live, options, desired.owner, wanted, usage)
    refused = {
        name: Refusal(footings[name], objection.guard, objection.reason, objection.release)
        for name, objection in objections(situation).items()
    }
    free_to_go = (one for name, one in footings.items() if name not in refused)
    spare = spare_nodes(desired.node_types, live.nodes)
    full = with_all(room, spare)
    scheduled = schedule(
        free_to_go,
        room,
        allow_downtime=options.allow_downtime,
        max_starts=desired.max_starts,
        holders=Later(partial(holders, live)),
        spare=spare,
    )
    refused |= {refusal.footing.name: refusal for refusal in scheduled.refusals}
    footings = _with_honest_gateway(footings, desired, live, found, refused)
    model_ids = Later(partial(_live_model_ids, found))
    intend = partial(action, model_ids=model_ids, measured=load_seconds(live, desired.owner))
    waves = tuple(_waves(scheduled, footings, live, intend))
    _refuse_poison(waves, live)
    return Plan(
        cluster=desired.cluster,
        address=address,
        ray_version=live.ray_version,
        source=source,
        live_fingerprint=live.fingerprint,
        waves=waves,
        holds=tuple(
            Hold(intend(one.footing, None), one.guard, one.reason, one.release) for _, one in sorted(refused.items())
        ),
        unmanaged=found.unmanaged,
        capacity=_capacity(desired, live, scheduled, spare),
        warnings=(
            *cautions(desired, live, found, full),
            *untold_use(live),
            *starving(desired, live, full, node_index),
            *_chances(scheduled),
            *unknown_usage(found, usage, wanted, refused),
            *undone_rollback(found, live, desired.owner, source),
        ),
        options=options,
        left_out=rest,
        daily_cost=daily_cost(found, live.nodes, desired.prices, refused.keys()),
        short_of_room=scheduled.tight,
    )


def _refuse_poison(waves: tuple[Wave, ...], live: LiveState) -> None:
    """Raise `PlanRefused` where the first document repeats a config that makes Ray refuse the whole of it, and store it
    all the same."""
    changed = {action.name for action in waves[0].actions} if waves else set()
    reason = poisoned(each for each in sent_along(live) if each.name not in changed) if waves else None
    if reason is not None:
        raise PlanRefused(f"{reason}; Ray refuses every document that holds it", "mend it with `reconcile repair`")


def _chances(scheduled: Schedule) -> Iterator[str]:
    """What is not certain, because Ray takes replicas in an order of its own and picks among equally good nodes."""
    lucky, untried = scheduled.by_luck, scheduled.untried
    if lucky:
        finds = "finds a place" if len(lucky) == 1 else "find places"
        yield (
            f"{quoted(lucky)} {finds} only if Ray happens to choose well among equally good nodes; what stays pending, "
            "apply rolls back"
        )
    if untried:
        finds = "finds a place" if len(untried) == 1 else "find places"
        yield (
            f"whether {quoted(untried)} {finds} was tried for some of the orders in which Ray may take them, because "
            "there are too many to try all; what stays pending, apply rolls back"
        )


def source_digest(
    registry: Registry, cluster: ClusterEntry, packages: RuntimePackages, selection: Selection | None = None
) -> str:
    """SHA-256 over what a plan is computed from, except the cluster's state: the canonical models that the cluster is
    to serve (with a selection the chosen ones), the cluster's settings and the code packages. Neither comments nor the
    order of files count."""
    return digest(
        {
            "cluster": {"name": cluster.name, "digest": cluster.digest},
            "models": {
                entry.model_id: entry.digest
                for entry in registry.models_of(cluster)
                if selection is None or application_name(entry.model_id) in selection.chosen
            },
            "packages": asdict(packages),
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
    if gateway.candidate.kind is ActionKind.RETRY and not gateway.candidate.change.fields:
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
    scheduled: Schedule,
    footings: Mapping[str, Footing],
    live: LiveState,
    intend: Callable[..., Action],
) -> Iterator[Wave]:
    configs: Callable[[], Configs] = cache(partial(live_configs, live))
    for steps in scheduled.waves:
        actions: tuple[Action, ...] = tuple(
            intend(footings[step.footing.name], step.rollout, awaits=step.awaits)
            for step in steps
            if step.footing.name in footings
        )
        if actions:
            configs = cache(partial(_carried_out, configs, actions))
            yield Wave(actions, Later(partial(_document, live, configs)))


def _carried_out(before: Callable[[], Configs], actions: tuple[Action, ...]) -> Configs:
    return carry_out(before(), actions)


def _document(live: LiveState, configs: Callable[[], Configs]) -> Mapping[str, JsonValue]:
    return document(live, configs())


def _live_model_ids(found: Match) -> Mapping[str, str]:
    """The model of each application that our live gateway routes to."""
    return {name: model_id for name, (model_id, _) in by_application(live_routes(found.owned)).items()}


def _asked(desired: DesiredState) -> set[str]:
    shapes = {id(entry.bundles): entry.bundles for entry in desired.applications}
    return {name for bundles in shapes.values() for name in bundles.total}


def _capacity(desired: DesiredState, live: LiveState, scheduled: Schedule, spare: Spare) -> Capacity:
    total = add_up(node.total for node in live.nodes)
    more = add_up(times(kind.resources, count) for kind, count in spare.items())
    return Capacity(
        total=total,
        used=add_up(node.used for node in live.nodes),
        needed=add_up_replicas((entry.bundles, entry.min_replicas) for entry in desired.applications),
        peak={resource: scheduled.peak[resource] for resource in sorted(scheduled.peak)},
        limit=add_up((total, more)) if desired.node_types else None,
        ceiling=ceiling(desired),
        added=dict(sorted(scheduled.added.items())),
    )
