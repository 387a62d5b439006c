"""Why a plan does what it does to one model, for people."""

from collections.abc import Iterable

from reconciler.plan.change import FieldChange, Impact
from reconciler.plan.explanation import Explanation, Fit, Setting
from reconciler.plan.plan import Action, ActionKind
from reconciler.views import cost_words, plan_words
from reconciler.views.printable import plural, printable
from reconciler.views.resources import amount, ordered, resources
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table
from reconciler.views.values import after, before, short_path, shown

_HASH = 12
"""Characters of a code version that tell two apart."""
_NODES = 12
"""Nodes that are listed: those that take a part of a replica, then others."""


def explanation_text(explanation: Explanation, style: Style = PLAIN) -> str:
    """What is done and why, then the code version, the gateway's part, and what fits where."""
    intention = explanation.intention
    blocks = [_head(explanation, style)]
    if intention is None:
        blocks.append(_settings(explanation.settings, style))
    else:
        blocks += [_field(field, style) for field in intention.change.fields]
        blocks.append(_code(explanation))
    blocks += [_routing(explanation.routing, style), _rollout(explanation, intention), _fit(explanation.fit)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(explanation: Explanation, style: Style) -> list[str]:
    name = style.bold(printable(explanation.model_id or explanation.name))
    intention, hold = explanation.intention, explanation.hold
    if intention is None:
        return [f"{name}: nothing differs, so nothing is done"]
    consequence = plan_words.consequence(intention)
    lines = [f"{name}: {plan_words.verb(intention)}" + (f", {printable(consequence)}" if consequence else "")]
    if hold is not None:
        lines.append(style.red(f"held by {hold.guard}: {printable(hold.reason)}"))
        lines.append(f"to release it: {printable(hold.release)}")
    elif explanation.waves > 1:
        lines.append(f"in step {explanation.wave} of {explanation.waves}")
    if intention.reason and not intention.change.fields:
        lines.append(printable(intention.reason))
    if intention.position:
        lines.append(f"{printable(intention.position.file)}:{intention.position.line}")
    return lines


def _field(field: FieldChange, style: Style) -> list[str]:
    lines = [
        style.bold(short_path(field.path)),
        f"    {before(field)} -> {after(field)}",
        f"    {_impact(field.impact, style)}: {printable(field.reason)}",
    ]
    return lines + ([f"    Ray's rule: {field.source}"] if field.source else [])


def _code(explanation: Explanation) -> list[str]:
    code = explanation.code
    if code.before is None or code.after is None:
        return []
    if code.before == code.after:
        return [f"code version {code.after[:_HASH]}, the same before and after"]
    return [f"code version {code.before[:_HASH]} -> {code.after[:_HASH]}, because of {', '.join(code.differs_in)}"]


def _routing(fields: Iterable[FieldChange], style: Style) -> list[str]:
    rows = [(field.path.rpartition("user_config.")[2], before(field), "->", after(field)) for field in fields]
    if not rows:
        return []
    impact = _impact(Impact.RECONFIGURE, style)
    heading = f"in the gateway's routing table ({impact}, no replica of the model is touched)"
    return [heading, *table(rows, indent="    ")]


def _rollout(explanation: Explanation, intention: Action | None) -> list[str]:
    if intention is None or intention.kind is ActionKind.DELETE:
        return []
    replicas = f"{plural(intention.replicas_before, 'replica')} now, {intention.replicas_after} afterwards"
    if intention.rollout is None and intention.kind is not ActionKind.CREATE:
        return [replicas]
    times = [
        f"    load time {cost_words.load_time(intention)}, given up after {cost_words.time_limit(intention)}",
        *(f"    {told}" for told in (cost_words.time_cost(intention),) if told),
    ]
    if intention.rollout is None:
        return [replicas, *times]
    lines = [f"rollout: {intention.rollout.strategy.value}, {printable(intention.rollout.sentence)}", f"    {replicas}"]
    if explanation.fit is not None:
        lines.append(f"    `rollout.strategy` of the model: {explanation.fit.wish.value}")
    return lines + times


def _fit(fit: Fit | None) -> list[str]:
    if fit is None:
        return []
    names = ordered(fit.needed)
    room = f"room for {fit.fitting} of them" if fit.fitting < fit.wanted else "room for all of them"
    lines = [
        f"{plural(fit.wanted, 'new replica')} of {resources(fit.needed)} each; beside all that runs now there is {room}"
    ]
    shown_nodes = sorted(fit.nodes, key=lambda node: (-node.parts, node.node_id))[:_NODES]
    rows: list[tuple[str, ...]] = [("    node", *(f"free {printable(name)}" for name in names), "takes")]
    for node in shown_nodes:
        cells = (f"{amount(name, node.free[name])} of {amount(name, node.total[name])}" for name in names)
        rows.append((f"    {printable(node.node_id)[:16]}", *cells, plural(node.parts, "part") if node.parts else ""))
    lines += table(rows)
    left = len(fit.nodes) - len(shown_nodes)
    return lines + ([f"    and {plural(left, 'more node')}"] if left else [])


def _settings(settings: Iterable[Setting], style: Style) -> list[str]:
    """Its settings by what a change of them would do, the gravest first."""
    lines: list[str] = []
    found = list(settings)
    for impact in sorted({setting.rule.impact for setting in found}, key=list(Impact).index, reverse=True):
        rows = [
            (short_path(setting.path), shown(setting.value), setting.rule.reason)
            for setting in found
            if setting.rule.impact is impact
        ]
        lines += [f"a change of these: {_impact(impact, style)}", *table(rows, indent="    ")]
    return lines


def _impact(impact: Impact, style: Style) -> str:
    return style.yellow(impact.value) if impact.restarts else impact.value
