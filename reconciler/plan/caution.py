"""What a reader of the plan should know although nothing is done about it."""

from collections.abc import Iterator

from reconciler.plan.footing import initial_replicas, replicas_after, target_replicas
from reconciler.plan.impact import is_proven
from reconciler.plan.match import Match
from reconciler.plan.plan import ActionKind
from reconciler.plan.rules import PROVEN_RAY
from reconciler.plan.text import first_line, plural
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.placement import Room


def cautions(desired: DesiredState, live: LiveState, found: Match, room: Room) -> tuple[str, ...]:
    """The warnings of a plan, in a fixed order."""
    return (
        *_unproven(live),
        *(text for there in sorted(found.unchanged, key=lambda entry: entry.name) for text in _unsettled(there)),
        *_failed_before(found),
        *_counts_reset(found),
        *_beyond_reach(desired, room),
    )


def _unproven(live: LiveState) -> Iterator[str]:
    if not is_proven(live.ray_version):
        yield (
            f"the cluster runs Ray {live.ray_version}; what a change restarts is proven for Ray {PROVEN_RAY}, "
            "so every update is expected to restart its replicas"
        )


def _unsettled(there: LiveApplication) -> Iterator[str]:
    if there.status is ApplicationStatus.UNHEALTHY:
        yield f"`{there.name}` is as the registry says but unhealthy{_because(there)}; a plan cannot mend it"
    elif there.status is not ApplicationStatus.RUNNING:
        yield f"`{there.name}` is as the registry says and still {there.status}; apply waits for it"


def _because(there: LiveApplication) -> str:
    line = first_line(there.message)
    return f" ({line})" if line else ""


def _failed_before(found: Match) -> Iterator[str]:
    for candidate in found.candidates:
        there = candidate.live
        if candidate.kind is ActionKind.UPDATE and there and there.status is ApplicationStatus.DEPLOY_FAILED:
            yield (
                f"the config of `{there.name}` that is live failed to deploy{_because(there)}; replicas of an earlier "
                "one may still serve, and stay if the registry's is that one"
            )


def _counts_reset(found: Match) -> Iterator[str]:
    """Replica counts that the autoscaler chose and a change would set anew."""
    for candidate in found.candidates:
        desired, there = candidate.desired, candidate.live
        if candidate.kind is not ActionKind.UPDATE or desired is None or there is None or not there.deployments:
            continue
        before, after = target_replicas(there), replicas_after(desired, there)
        if initial_replicas(desired) is not None and before != after:
            yield (
                f"the change sets `{there.name}` from {plural(before, 'replica')} back to its `initial_replicas`, "
                f"{after}; without that key in the file the count stays as it is"
            )
        elif after < before:
            yield f"`{there.name}` runs {plural(before, 'replica')} now; its new `max_replicas` stops {before - after}"


def _beyond_reach(desired: DesiredState, room: Room) -> Iterator[str]:
    """Models whose autoscaling may ask for more than the cluster has when nothing else runs there."""
    empty = room.emptied()
    answers: dict[tuple[object, ...], int] = {}
    for entry in desired.applications:
        if entry.max_replicas == entry.min_replicas:
            continue
        key = (entry.max_replicas, entry.bundles.kind)
        if key not in answers:
            answers[key] = empty.count(entry.bundles, entry.max_replicas)
        if 0 < answers[key] < entry.max_replicas:
            replicas = plural(entry.max_replicas, "replica")
            yield f"`{entry.name}` may scale to {replicas}; the empty cluster holds {answers[key]}"
