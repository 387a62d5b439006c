"""From a candidate on its footing to the Action people see."""

from collections.abc import Mapping

from reconciler.plan.change import FieldChange
from reconciler.plan.footing import Footing
from reconciler.plan.match import Candidate
from reconciler.plan.plan import Action, ActionKind, Rollout
from reconciler.registry.spec import Rollout as RolloutWish
from reconciler.state.capacity import Bundles


def action(footing: Footing, rollout: Rollout | None, model_ids: Mapping[str, str]) -> Action:
    """The action on one application. `model_ids` names the models of applications whose files are gone."""
    candidate = footing.candidate
    desired = candidate.desired
    model = desired.model if desired else None
    wish = desired.rollout if desired else RolloutWish()
    return Action(
        kind=candidate.kind,
        name=candidate.name,
        model_id=model.spec.model_id if model else model_ids.get(candidate.name),
        change=candidate.change,
        reason=_reason(candidate),
        rollout=rollout,
        bundles=_bundles(candidate),
        replicas_before=footing.before,
        replicas_after=footing.after,
        timeout_s=wish.timeout_s,
        position=model.position() if model else None,
    )


def _bundles(candidate: Candidate) -> Bundles | None:
    return candidate.desired.bundles if candidate.desired else None


def _reason(candidate: Candidate) -> str:
    if candidate.kind is ActionKind.CREATE:
        return "wanted by the registry and not on the cluster"
    if candidate.kind is ActionKind.DELETE:
        return "ours on the cluster and no longer wanted by the registry"
    telling = _most_telling(candidate.change.fields, candidate)
    others = len(candidate.change.fields) - 1
    more = f" (and {others} more)" if others else ""
    return f"`{telling.path}`: {telling.reason}{more}"


def _most_telling(fields: tuple[FieldChange, ...], candidate: Candidate) -> FieldChange:
    return next(field for field in fields if field.impact is candidate.change.impact)
