"""A Plan for people: every action with its sign, field by field, and what it needs."""

from reconciler.plan.cost import LimitBasis
from reconciler.plan.plan import Action, ActionKind, Hold, Plan
from reconciler.views import cost_words, plan_words
from reconciler.views.printable import listed, plural, printable
from reconciler.views.resources import amount, growth_lines, interesting, ordered
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table
from reconciler.views.values import after, before, short_path


def plan_text(plan: Plan, style: Style = PLAIN) -> str:
    """The whole plan, ending in its summary line."""
    blocks = [_head(plan, style)]
    for number, wave in enumerate(plan.waves, start=1):
        if len(plan.waves) > 1:
            blocks.append([style.bold(f"step {number} of {len(plan.waves)}")])
        blocks += [_action(action, style) for action in wave.actions]
    blocks += [_hold(hold, style) for hold in plan.holds]
    blocks.append(_capacity(plan))
    blocks.append(_gpu_hours(plan))
    if plan.unmanaged:
        blocks.append([f"not ours, untouched: {listed(plan.unmanaged)}"])
    blocks += [[f"{style.yellow('warning')}: {printable(warning)}"] for warning in plan.warnings]
    blocks.append([style.bold(plan_words.summary(plan))])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(plan: Plan, style: Style) -> list[str]:
    source = plan_words.source(plan)
    scope = plan_words.scope(plan)
    return [
        style.bold(printable(plan_words.title(plan))),
        style.yellow(source) if plan.source.dirty else source,
        *(style.yellow(printable(text)) for text in (scope, plan_words.offline(plan)) if text),
    ]


def _action(action: Action, style: Style) -> list[str]:
    paint = {"+": style.green, "-": style.red}.get(plan_words.sign(action), style.yellow)
    heading = f"{plan_words.sign(action)} {plan_words.verb(action)} {printable(action.name)}"
    consequence = plan_words.consequence(action)
    lines = [paint(heading) + (f": {printable(consequence)}" if consequence else "")]
    lines += [f"    {detail}" for detail in _details(action)]
    return lines + _fields(action, style)


def _details(action: Action) -> list[str]:
    # The reason of an update is its gravest field, which stands below the fields.
    reason = "" if action.kind is ActionKind.UPDATE else printable(action.reason)
    file = printable(action.position.file) if action.position else ""
    details = [f"{reason} ({file})" if reason and file else reason or file]
    if action.kind is not ActionKind.DELETE and (
        action.kind in (ActionKind.CREATE, ActionKind.RETRY) or action.impact.restarts
    ):
        details.append(plan_words.needs(action))
    elif action.replicas_after != action.replicas_before and action.kind is ActionKind.UPDATE:
        details.append(f"{plural(action.replicas_before, 'replica')} now, then {plan_words.needs(action)}")
    if plan_words.surge(action):
        details.append(plan_words.surge(action))
    details.append(printable(plan_words.waiting(action.awaits)))
    details.append(cost_words.time_cost(action))
    if action.timeout_basis is not LimitBasis.DEFAULT and action.kind is not ActionKind.DELETE:
        details.append(f"given up after {cost_words.time_limit(action)}")
    return [detail for detail in details if detail]


def _fields(action: Action, style: Style) -> list[str]:
    if action.kind not in (ActionKind.UPDATE, ActionKind.RETRY):
        return []
    rows = [(short_path(field.path), before(field), "->", after(field)) for field in action.change.fields]
    lines = table(rows, indent="    ")
    worst = plan_words.worst(action.change.fields)
    if worst is not None and worst.reason:
        what = worst.impact.value + (f" because of {short_path(worst.path)}" if len(rows) > 1 else "")
        lines.append(style.dim(f"    {what}: {printable(worst.reason)}"))
    return lines


def _hold(hold: Hold, style: Style) -> list[str]:
    action = hold.action
    heading = f"! held: {plan_words.verb(action)} {printable(action.name)}"
    consequence = plan_words.consequence(action)
    return [
        style.red(heading) + (f": {printable(consequence)}" if consequence else ""),
        f"    {printable(hold.reason)} (guard {hold.guard})",
        f"    to release it: {printable(hold.release)}",
        *_fields(action, style),
    ]


def _capacity(plan: Plan) -> list[str]:
    capacity = plan.capacity
    wanted = {**interesting(capacity.needed), **interesting(capacity.peak)}
    names = [
        name
        for name in ordered({*wanted, *({"CPU", "GPU"} & set(capacity.total))})
        if wanted.get(name) or capacity.total.get(name)
    ]
    if not names:
        return []
    rows: list[tuple[str, ...]] = [("resources", "needed", "in use now", "at most", "cluster has")]
    for name in names:
        sides = (capacity.needed, capacity.used, capacity.peak, capacity.total)
        rows.append((f"  {printable(name)}", *(amount(name, side.get(name, 0.0)) for side in sides)))
    return [*table(rows, right=(1, 2, 3, 4)), *(f"  {line}" for line in growth_lines(capacity))]


def _gpu_hours(plan: Plan) -> list[str]:
    rows = cost_words.gpu_rows(plan.daily_cost)
    if not rows or not plan.has_changes:
        return []
    head = ("GPU-hours a day, as autoscaling allows", "now", "then")
    return table([head, *((f"  {name}", before, after) for name, before, after in rows)], right=(1, 2))
