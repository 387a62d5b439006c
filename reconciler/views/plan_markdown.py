"""A Plan as Markdown, for a comment on a pull request."""

from reconciler.plan.cost import LimitBasis
from reconciler.plan.plan import Action, ActionKind, Plan
from reconciler.views import cost_words, plan_words
from reconciler.views.markdown import code, html, prose, table
from reconciler.views.resources import amount, growth_lines, interesting, ordered
from reconciler.views.values import after, before, short_path


def plan_markdown(plan: Plan) -> str:
    """The whole plan; fields are folded away."""
    lines = [f"### {prose(plan_words.summary(plan))}", ""]
    lines += [f"Cluster {code(plan.cluster)} at {code(plan.address)}, {prose(plan_words.source(plan))}.", ""]
    for text in (plan_words.scope(plan), plan_words.offline(plan)):
        lines += [prose(text) + ".", ""] if text else []
    if plan.actions:
        rows = [_action_row(action) for action in plan.actions]
        lines += [*table(("", "application", "what happens", "needs"), rows), ""]
    for hold in plan.holds:
        lines.append(
            f"- **held**: {plan_words.verb(hold.action)} {code(hold.action.name)}: {prose(hold.reason)} "
            f"(guard {code(hold.guard)}). To release it: {prose(hold.release)}"
        )
    if plan.holds:
        lines.append("")
    for action in (*plan.actions, *(hold.action for hold in plan.holds)):
        lines += field_lines(action)
    lines += capacity_lines(plan)
    lines += gpu_hour_lines(plan)
    if plan.unmanaged:
        lines += [f"Not ours, untouched: {', '.join(code(name) for name in plan.unmanaged)}.", ""]
    lines += [f"> **Warning**: {prose(warning)}\n" for warning in plan.warnings]
    return "\n".join(lines).rstrip() + "\n"


def _action_row(action: Action) -> tuple[str, str, str, str]:
    consequence = plan_words.consequence(action) or action.reason
    return (
        code(plan_words.sign(action)),
        code(action.name),
        f"**{plan_words.verb(action)}**"
        + (f": {prose(consequence)}" if consequence else "")
        + _waiting(action)
        + _time(action),
        prose(plan_words.needs(action)),
    )


def _time(action: Action) -> str:
    if action.kind is not ActionKind.CREATE and not action.impact.restarts:
        return ""
    told = cost_words.time_cost(action)
    limit = f"given up after {cost_words.time_limit(action)}"
    shown = (told, limit if action.timeout_basis is not LimitBasis.DEFAULT else "")
    return "".join(f"<br>{prose(line)}" for line in shown if line)


def _waiting(action: Action) -> str:
    told = plan_words.waiting(action.awaits)
    return f"<br>{prose(told)}" if told else ""


def gpu_hour_lines(plan: Plan) -> list[str]:
    """What the GPUs take a day, as a table; nothing without GPUs or without changes."""
    rows = cost_words.gpu_rows(plan.daily_cost)
    if not rows or not plan.has_changes:
        return []
    head = ("GPU-hours a day", "now", "then")
    note = "Of the replicas that autoscaling may run, from the fewest to the most; nodes that idle are not counted."
    return [*table(head, [(code(name), before, after) for name, before, after in rows]), "", note, ""]


def field_lines(action: Action) -> list[str]:
    """The fields of an update, folded away; nothing for what has none."""
    if action.kind not in (ActionKind.UPDATE, ActionKind.RETRY) or not action.change.fields:
        return []
    rows = [
        (code(short_path(field.path)), code(before(field)), code(after(field)), field.impact.value)
        for field in action.change.fields
    ]
    return [
        f"<details><summary>{plan_words.verb(action)} {html(action.name)}</summary>",
        "",
        *table(("field", "live", "desired", "impact"), rows),
        "",
        "</details>",
        "",
    ]


def capacity_lines(plan: Plan) -> list[str]:
    """The resources as a table."""
    capacity = plan.capacity
    names = ordered({*interesting(capacity.needed), *interesting(capacity.peak)})
    rows = [
        (code(name), *(amount(name, side.get(name, 0.0)) for side in _sides(plan)))
        for name in names
        if capacity.needed.get(name) or capacity.peak.get(name)
    ]
    more = [line for told in growth_lines(capacity) for line in (prose(told) + ".", "")]
    return [*table(("resource", "needed", "in use now", "at most", "cluster has"), rows), "", *more] if rows else []


def _sides(plan: Plan) -> tuple[dict[str, float], ...]:
    capacity = plan.capacity
    return tuple(dict(side) for side in (capacity.needed, capacity.used, capacity.peak, capacity.total))
