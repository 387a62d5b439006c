"""The words that every view of a plan uses: what an action is called, its sign, and the counts at the end."""

from collections.abc import Iterable

from reconciler.plan.change import FieldChange, Impact
from reconciler.plan.plan import Action, ActionKind, Plan
from reconciler.registry.spec import RolloutStrategy
from reconciler.views.printable import plural
from reconciler.views.resources import replica_resources, resources

_SEVERITY = {impact: rank for rank, impact in enumerate(Impact)}


def sign(action: Action) -> str:
    """`+` create, `~` update in place, `±` replace the replicas, `-` delete."""
    if action.kind is ActionKind.CREATE:
        return "+"
    if action.kind is ActionKind.DELETE:
        return "-"
    return "±" if action.impact.restarts else "~"


def verb(action: Action) -> str:
    """What is done, in one or two words: `create`, `restart`, `reconfigure`, `update`, `delete`."""
    if action.kind is not ActionKind.UPDATE:
        return action.kind.value
    if action.impact.restarts:
        return "restart"
    return "reconfigure" if action.impact is Impact.RECONFIGURE else "update"


def consequence(action: Action) -> str:
    """What people want to know first about running replicas; empty for a create."""
    if action.rollout is not None:
        return f"{action.impact.value}, {action.rollout.sentence}"
    if action.impact is Impact.RECONFIGURE:
        return "in place, running replicas are reconfigured"
    if action.impact.restarts:
        return action.impact.value
    if action.kind is ActionKind.UPDATE:
        return "in place, no replica restarts"
    if action.kind is ActionKind.DELETE:
        return f"{plural(action.replicas_before, 'replica')} stopped"
    return ""


def needs(action: Action) -> str:
    """The resources of the action: one replica's, times how many; empty for a delete."""
    if action.bundles is None:
        return ""
    one = replica_resources(action.bundles)
    if action.replicas_after == 0:
        return f"no replica until the first request, then {one} each"
    if action.replicas_after == 1:
        return f"1 replica with {one}"
    total = {name: quantity * action.replicas_after for name, quantity in action.bundles.total.items()}
    return f"{action.replicas_after} replicas with {one} each: {resources(total)}"


def surge(action: Action) -> str:
    """How many more replicas run for a while; empty unless old and new ones run side by side."""
    rollout = action.rollout
    if rollout is None or rollout.strategy is not RolloutStrategy.SURGE:
        return ""
    return f"{rollout.surge_percent} % more replicas while old and new ones run side by side"


def worst(fields: Iterable[FieldChange]) -> FieldChange | None:
    """The field that decides the impact: the first of the gravest ones."""
    return max(fields, key=lambda field: _SEVERITY[field.impact], default=None)


def title(plan: Plan) -> str:
    """The cluster and where it is."""
    return f"cluster {plan.cluster} at {plan.address}, Ray {plan.ray_version}"


def source(plan: Plan) -> str:
    """The commit the plan is made from, and whether the files are the committed ones."""
    if plan.source.commit is None:
        return "not in git"
    dirty = ", with uncommitted changes" if plan.source.dirty else ""
    return f"commit {plan.source.commit[:12]}{dirty}"


def summary(plan: Plan) -> str:
    """The last line: `Plan: 3 to create, 1 to update in place`."""
    if not plan.has_changes:
        return "Nothing to do: the cluster is as the registry says"
    actions = plan.actions
    creates = sum(action.kind is ActionKind.CREATE for action in actions)
    deletes = sum(action.kind is ActionKind.DELETE for action in actions)
    restarts = sum(action.kind is ActionKind.UPDATE and action.impact.restarts for action in actions)
    updates = len(actions) - creates - deletes - restarts
    counts = (
        (creates, "to create"),
        (updates, "to update in place"),
        (restarts, "to restart"),
        (deletes, "to delete"),
        (len(plan.holds), "held"),
    )
    return "Plan: " + ", ".join(f"{count} {what}" for count, what in counts if count)
