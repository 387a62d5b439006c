"""From a candidate on its footing to the Action people see."""

from collections.abc import Mapping

from reconciler.plan.change import FieldChange
from reconciler.plan.footing import Footing
from reconciler.plan.match import Candidate
from reconciler.plan.outlook import load_time, outlook, time_limit
from reconciler.plan.plan import Action, ActionKind, Rollout
from reconciler.plan.text import first_line
from reconciler.state.capacity import Bundles
from reconciler.state.desired import default_rollout


def action(
    footing: Footing,
    rollout: Rollout | None,
    model_ids: Mapping[str, str],
    measured: Mapping[str, float],
    awaits: Mapping[str, int] | None = None,
) -> Action:
    """The action on one application. `model_ids` names the models of applications whose files are gone; `measured`
    holds the load times that earlier applies found, seconds by application; `awaits` the nodes that have to be added
    first."""
    candidate = footing.candidate
    desired = candidate.desired
    model = desired.model if desired else None
    wish = desired.rollout if desired else default_rollout()
    load = load_time(candidate.name, wish, measured)
    timeout_s, timeout_basis = time_limit(wish, rollout, footing.after, load)
    return Action(
        kind=candidate.kind,
        name=candidate.name,
        model_id=model.model_id if model else model_ids.get(candidate.name),
        change=candidate.change,
        reason=_reason(candidate),
        rollout=rollout,
        bundles=_bundles(candidate),
        replicas_before=footing.before,
        replicas_after=footing.after,
        timeout_s=timeout_s,
        position=model.position() if model else None,
        cost=outlook(footing, rollout, load),
        timeout_basis=timeout_basis,
        awaits=awaits or {},
    )


def _bundles(candidate: Candidate) -> Bundles | None:
    return candidate.desired.bundles if candidate.desired else None


def _reason(candidate: Candidate) -> str:
    if candidate.kind is ActionKind.CREATE:
        return "wanted by the registry and not on the cluster"
    if candidate.kind is ActionKind.DELETE:
        return "ours on the cluster and no longer wanted by the registry"
    if candidate.kind is ActionKind.RETRY:
        return _retry_reason(candidate)
    telling = _most_telling(candidate.change.fields, candidate)
    others = len(candidate.change.fields) - 1
    more = f" (and {others} more)" if others else ""
    return f"`{telling.path}`: {telling.reason}{more}"


def _retry_reason(candidate: Candidate) -> str:
    line = first_line(candidate.live.message) if candidate.live else ""
    because = f" ({line})" if line else ""
    return f"it failed to deploy{because}, and Ray does not try the same config again by itself"


def _most_telling(fields: tuple[FieldChange, ...], candidate: Candidate) -> FieldChange:
    return next(field for field in fields if field.impact is candidate.change.impact)
