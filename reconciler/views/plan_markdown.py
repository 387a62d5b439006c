"""A Plan as Markdown, for a comment on a pull request."""

from reconciler.plan.plan import Action, ActionKind, Plan
from reconciler.views import plan_words
from reconciler.views.markdown import code, html, prose, table
from reconciler.views.resources import amount, interesting, ordered
from reconciler.views.values import after, before, short_path


def plan_markdown(plan: Plan) -> str:
    """The whole plan; fields are folded away."""
    lines = [f"### {prose(plan_words.summary(plan))}", ""]
    lines += [f"Cluster {code(plan.cluster)} at {code(plan.address)}, {prose(plan_words.source(plan))}.", ""]
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
        lines += _fields(action)
    lines += _capacity(plan)
    if plan.unmanaged:
        lines += [f"Not ours, untouched: {', '.join(code(name) for name in plan.unmanaged)}.", ""]
    lines += [f"> **Warning**: {prose(warning)}\n" for warning in plan.warnings]
    return "\n".join(lines).rstrip() + "\n"


def _action_row(action: Action) -> tuple[str, str, str, str]:
    consequence = plan_words.consequence(action) or action.reason
    return (
        code(plan_words.sign(action)),
        code(action.name),
        f"**{plan_words.verb(action)}**" + (f": {prose(consequence)}" if consequence else ""),
        prose(plan_words.needs(action)),
    )


def _fields(action: Action) -> list[str]:
    if action.kind is not ActionKind.UPDATE or not action.change.fields:
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


def _capacity(plan: Plan) -> list[str]:
    capacity = plan.capacity
    names = ordered({*interesting(capacity.needed), *interesting(capacity.peak)})
    rows = [
        (code(name), *(amount(name, side.get(name, 0.0)) for side in _sides(plan)))
        for name in names
        if capacity.needed.get(name) or capacity.peak.get(name)
    ]
    return [*table(("resource", "needed", "in use now", "at most", "cluster has"), rows), ""] if rows else []


def _sides(plan: Plan) -> tuple[dict[str, float], ...]:
    capacity = plan.capacity
    return tuple(dict(side) for side in (capacity.needed, capacity.used, capacity.peak, capacity.total))
