"""The words that every view of a plan uses: what an action is called, its sign, and the counts at the end."""

from collections.abc import Iterable, Mapping

from reconciler.plan.change import FieldChange, Impact
from reconciler.plan.plan import Action, ActionKind, Plan
from reconciler.registry.choices import RolloutStrategy
from reconciler.views.printable import listed, plural
from reconciler.views.resources import replica_resources, resources

_SEVERITY = {impact: rank for rank, impact in enumerate(Impact)}


def sign(action: Action) -> str:
    """`+` create, `~` update in place, `±` replace the replicas, `-` delete, `↻` try again."""
    if action.kind is ActionKind.CREATE:
        return "+"
    if action.kind is ActionKind.RETRY:
        return "↻"
    if action.kind is ActionKind.DELETE:
        return "-"
    return "±" if action.impact.restarts else "~"


def verb(action: Action) -> str:
    """What is done, in one or two words: `create`, `restart`, `reconfigure`, `update`, `retry`, `delete`."""
    if action.kind is not ActionKind.UPDATE:
        return action.kind.value
    if action.impact.restarts:
        return "restart"
    return "reconfigure" if action.impact is Impact.RECONFIGURE else "update"


def consequence(action: Action) -> str:
    """What people want to know first about running replicas; empty for a create."""
    if action.kind is ActionKind.RETRY:
        return f"tried again, {action.rollout.sentence}" if action.rollout else "tried again"
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
    if rollout is None or rollout.strategy is not RolloutStrategy.SURGE or action.impact is Impact.NONE:
        return ""
    return f"{rollout.surge_percent} % more replicas while old and new ones run side by side"


def waiting(awaits: Mapping[str, int]) -> str:
    """That nodes have to be added first; empty where all are there."""
    if not awaits:
        return ""
    nodes = " and ".join(f"{count} more {name} {'node' if count == 1 else 'nodes'}" for name, count in awaits.items())
    return f"fits after {nodes}, which the autoscaler has to add"


def worst(fields: Iterable[FieldChange]) -> FieldChange | None:
    """The field that decides the impact: the first of the gravest ones."""
    return max(fields, key=lambda field: _SEVERITY[field.impact], default=None)


def title(plan: Plan) -> str:
    """The cluster and where it is."""
    return f"cluster {plan.cluster} at {plan.address}, Ray {plan.ray_version}"


def offline(plan: Plan) -> str:
    """That the plan rests on a snapshot; empty for one that rests on the cluster."""
    return f"compared with the cluster as it was at {plan.as_of}, not with the cluster itself" if plan.as_of else ""


def source(plan: Plan) -> str:
    """The commit the plan is made from, and whether the files are the committed ones."""
    if plan.source.commit is None:
        return "not in git"
    dirty = ", with uncommitted changes" if plan.source.dirty else ""
    return f"commit {plan.source.commit[:12]}{dirty}"


def scope(plan: Plan) -> str:
    """Which models the plan is about and what differs beside them; empty for a plan of everything."""
    if not plan.options.models:
        return ""
    rest = f"; left out, and different from the registry: {listed(plan.left_out)}" if plan.left_out else ""
    return f"only {listed(plan.options.models)}{rest}"


def summary(plan: Plan) -> str:
    """The last line: `Plan: 3 to create, 1 to update in place`."""
    if not plan.has_changes and plan.options.models:
        return "Nothing to do: the chosen models are as the registry says"
    if not plan.has_changes:
        return "Nothing to do: the cluster is as the registry says"
    actions = plan.actions
    creates = sum(action.kind is ActionKind.CREATE for action in actions)
    deletes = sum(action.kind is ActionKind.DELETE for action in actions)
    restarts = sum(action.kind is ActionKind.UPDATE and action.impact.restarts for action in actions)
    retries = sum(action.kind is ActionKind.RETRY for action in actions)
    updates = len(actions) - creates - deletes - restarts - retries
    counts = (
        (creates, "to create"),
        (updates, "to update in place"),
        (restarts, "to restart"),
        (retries, "to try again"),
        (deletes, "to delete"),
        (len(plan.holds), "held"),
    )
    return "Plan: " + ", ".join(f"{count} {what}" for count, what in counts if count)
