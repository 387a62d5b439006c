"""A Plan as the comment on a pull request: what a merge would do, worst first, within what the forge takes.

Everything that a person wrote is escaped (`views.markdown`). What the pull request touches stands open; what a merge
would change for other reasons is folded under its own heading. Deletes are never left out: what does not fit goes on
in further comments.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from reconciler.plan.plan import Action, ActionKind, Hold, Plan
from reconciler.views import cost_words, plan_words
from reconciler.views.markdown import code, html, prose, table
from reconciler.views.plan_markdown import capacity_lines, field_lines, gpu_hour_lines
from reconciler.views.printable import plural
from reconciler.views.resources import amount

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")
_EMPTY_LINES = re.compile("\n{3,}")
_HEAD = ("", "model", "what happens", "replicas", "GPUs")


@dataclass(frozen=True, slots=True)
class Review:
    """What a reader of the comment should know beside the plan itself."""

    touched: Collection[str] | None
    """Names of the applications that the pull request touches; None when that is not known, and all stand open."""
    until: str | None = None
    """Until when the plan may be applied."""


def comment_mark(cluster: str) -> str:
    """The invisible line by which our comments on a cluster's plan are found again."""
    return f"<!-- reconcile plan {_NOT_PLAIN.sub('_', cluster)} -->"


def plan_comment(plan: Plan, review: Review, limit: int) -> list[str]:
    """The texts of the comments, nearly always one, each of at most `limit` bytes and beginning with the mark."""
    mark = comment_mark(plan.cluster)
    parts = _parts(plan, review)
    top = [mark, f"### {verdict(plan)}", "", *_facts(plan)]
    bottom = ["", *_warnings(plan), _footer(plan, review)]
    for amount_shown in _less_and_less(parts):
        # One empty line between two blocks is enough.
        body = _EMPTY_LINES.sub("\n\n", "\n".join([*top, *_shown(parts, amount_shown), *bottom]))
        if _size(body) <= limit:
            break
    return [body, *_continued(mark, _cut_deletes(parts, amount_shown), limit)]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a comment is made of. In every list the deletes come first and then the gravest."""

    actions: Sequence[Action]
    """Of the pull request."""
    holds: Sequence[Hold]
    """Of the pull request."""
    folded: Sequence[Sequence[str]]
    """Details of those, one entry each, and the resources."""
    other_actions: Sequence[Action]
    other_holds: Sequence[Hold]


@dataclass(frozen=True, slots=True)
class _Amount:
    """How much of the parts a comment shows: rows, folded entries, and of the rest 2 all, 1 no fields, 0 one line."""

    rows: int
    folded: int
    others: int


def _parts(plan: Plan, review: Review) -> _Parts:
    mine = _by_gravity([action for action in plan.actions if _is_touched(action, review)])
    holds = sorted(plan.holds, key=lambda hold: hold.action.kind is not ActionKind.DELETE)
    my_holds = [hold for hold in holds if _is_touched(hold.action, review)]
    details = [field_lines(action) for action in (*(hold.action for hold in my_holds), *mine)]
    resources = _fold("Resources", [*capacity_lines(plan), *gpu_hour_lines(plan)])
    return _Parts(
        actions=mine,
        holds=my_holds,
        folded=[part for part in (*details, resources) if part],
        other_actions=_by_gravity([action for action in plan.actions if not _is_touched(action, review)]),
        other_holds=[hold for hold in holds if not _is_touched(hold.action, review)],
    )


def _less_and_less(parts: _Parts) -> Iterator[_Amount]:
    """What is given up first: the fields of other changes, then of ours, the table of others, then rows of ours."""
    rows, folded = len(parts.actions) + len(parts.holds), len(parts.folded)
    yield _Amount(rows, folded, 2)
    yield _Amount(rows, folded, 1)
    while folded:
        folded -= max(1, folded // 8)
        yield _Amount(rows, folded, 1)
    yield _Amount(rows, 0, 0)
    while rows:
        rows -= max(1, rows // 8)
        yield _Amount(rows, 0, 0)


def _shown(parts: _Parts, amount_shown: _Amount) -> Iterator[str]:
    held = parts.holds[: amount_shown.rows]
    rows = [_row(action) for action in parts.actions[: max(amount_shown.rows - len(parts.holds), 0)]]
    left_out = len(parts.actions) - len(rows)
    if rows or left_out:
        more = [("", f"and {left_out} more", "", "", "")] if left_out else []
        yield from (*table(_HEAD, [*rows, *more]), "")
    yield from (_held(hold) for hold in held)
    if len(held) < len(parts.holds):
        yield f"- and {len(parts.holds) - len(held)} more held"
    yield ""
    for part in parts.folded[: amount_shown.folded]:
        yield from part
    yield from _elsewhere(parts, amount_shown.others)


def _elsewhere(parts: _Parts, others: int) -> Iterator[str]:
    """What a merge would change though the pull request does not touch it."""
    actions, holds = parts.other_actions, parts.other_holds
    if not actions and not holds:
        return
    title = f"{plural(len(actions) + len(holds), 'change')} for other reasons than this pull request"
    if not others:
        yield f"{title}: `reconcile plan` shows them."
        return
    rows = table(_HEAD, [_row(action) for action in actions]) if actions else []
    fields = [line for action in actions for line in field_lines(action)] if others > 1 else []
    yield from _fold(title, [*rows, "", *(_held(hold) for hold in holds), "", *fields])


def _cut_deletes(parts: _Parts, amount_shown: _Amount) -> list[Action]:
    """The deletes that are not in the comment."""
    shown = max(amount_shown.rows - len(parts.holds), 0)
    cut = [*(hold.action for hold in parts.holds[amount_shown.rows :]), *parts.actions[shown:]]
    if not amount_shown.others:
        cut += [*parts.other_actions, *(hold.action for hold in parts.other_holds)]
    return [action for action in cut if action.kind is ActionKind.DELETE]


def verdict(plan: Plan) -> str:
    """One line: whether to worry."""
    if not plan.has_changes:
        return "✅ Nothing changes on the cluster"
    deletes = sum(action.kind is ActionKind.DELETE for action in plan.actions)
    outages = sum(_costs_service(action) for action in plan.actions)
    restarts = sum(action.impact.restarts for action in plan.actions)
    worries = [
        (len(plan.holds), f"{plural(len(plan.holds), 'change')} held"),
        (deletes, f"{plural(deletes, 'model')} deleted"),
        (outages, f"{plural(outages, 'model')} without service for a while"),
    ]
    told = [text for count, text in worries if count]
    if told:
        return f"{'🛑' if plan.holds else '⚠️'} {', '.join(told)}"
    if restarts:
        return f"🔁 {plural(restarts, 'restart')}, no downtime expected"
    return "✅ No replica restarts"


def _costs_service(action: Action) -> bool:
    return action.rollout is not None and action.rollout.downtime_expected


def _is_touched(action: Action, review: Review) -> bool:
    return review.touched is None or action.name in review.touched


def _by_gravity(actions: Sequence[Action]) -> list[Action]:
    """Deletes, then what costs service, then other restarts, then the rest."""
    return sorted(
        actions,
        key=lambda action: (
            action.kind is not ActionKind.DELETE,
            not _costs_service(action),
            not action.impact.restarts,
            action.name,
        ),
    )


def _facts(plan: Plan) -> list[str]:
    lines = [f"{prose(plan_words.summary(plan))}. Cluster {code(plan.cluster)}, {prose(plan_words.source(plan))}."]
    if plan_words.scope(plan):
        lines.append(prose(plan_words.scope(plan)) + ".")
    if plan.as_of is not None:
        lines += ["", f"> **Offline**: {prose(plan_words.offline(plan))}"]
    return [*lines, ""]


def _row(action: Action) -> tuple[str, ...]:
    consequence = plan_words.consequence(action)
    what = f"**{plan_words.verb(action)}**" + (f": {prose(consequence)}" if consequence else "")
    time = cost_words.time_cost(action)
    what += f"<br>{prose(time)}" if time else ""
    before, after = action.replicas_before, action.replicas_after
    replicas = str(after) if before == after else f"{before} → {after}"
    return (code(plan_words.sign(action)), code(action.model_id or action.name), what, replicas, _gpus(action))


def _gpus(action: Action) -> str:
    """How many GPUs more or less."""
    if action.bundles is None:
        return "freed" if action.replicas_before else ""
    change = action.bundles.total.get("GPU", 0.0) * (action.replicas_after - action.replicas_before)
    return f"{'+' if change > 0 else '−'}{amount('GPU', abs(change))}" if change else "±0"


def _held(hold: Hold) -> str:
    action = hold.action
    return (
        f"- **held: {plan_words.verb(action)} {code(action.model_id or action.name)}: {prose(hold.reason)}.** "
        f"To release it: {prose(hold.release)}"
    )


def _fold(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    return [f"<details><summary>{html(title)}</summary>", "", *lines, "", "</details>", ""]


def _warnings(plan: Plan) -> list[str]:
    shown = [f"> **Warning**: {prose(warning)}\n" for warning in plan.warnings[:10]]
    more = len(plan.warnings) - len(shown)
    return [*shown, *([f"> and {plural(more, 'more warning')}\n"] if more > 0 else [])]


def _footer(plan: Plan, review: Review) -> str:
    if plan.as_of is not None:
        return "<sub>A merge is planned anew, against the cluster itself.</sub>"
    until = f" It may be applied until {prose(review.until)}, as long as nothing moves." if review.until else ""
    return f"<sub>A merge does exactly this, or nothing.{until}</sub>"


def _continued(mark: str, deletes: Sequence[Action], limit: int) -> list[str]:
    """Comments with the names of the models to delete that the first has no room for."""
    bodies: list[str] = []
    lines: list[str] = []
    head = f"{mark}\n**Deleted as well:**\n\n"
    size = _size(head)
    for action in deletes:
        line = f"- {code(action.model_id or action.name)}"
        if lines and size + _size(line) + 1 > limit:
            bodies.append(head + "\n".join(lines))
            lines, size = [], _size(head)
        lines.append(line)
        size += _size(line) + 1
    return [*bodies, head + "\n".join(lines)] if lines else bodies


def _size(text: str) -> int:
    return len(text.encode())
