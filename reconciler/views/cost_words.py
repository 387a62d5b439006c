"""What a plan costs, in words: how long a model serves less or not at all, and what the GPUs take a day."""

from collections.abc import Sequence

from reconciler.plan.cost import NEVER, Basis, Daily, DailyCost, LimitBasis, Span
from reconciler.plan.plan import Action, ActionKind
from reconciler.plan.text import duration
from reconciler.views.printable import printable

NOT_MEASURED = "its load time has not been measured yet"


def span(found: Span) -> str:
    """`95 s`, or `95 s to 4 min`."""
    least, most = duration(found.least), duration(found.most)
    return least if least == most else f"{least} to {most}"


def time_cost(action: Action) -> str:
    """How long it takes and what that costs in service; empty where nothing is known and nothing is lost."""
    cost = action.cost
    if cost is None or not (action.kind is ActionKind.CREATE or action.impact.restarts):
        return ""
    for found, what in ((cost.without_service, "without service"), (cost.less_capacity, "with less capacity")):
        if found is None:
            return f"how long it is {what} is not known: {_why_unknown(action)}"
        if found != NEVER:
            return f"{what} for {span(found)} ({_basis(action)})"
    if cost.duration is None or cost.duration == NEVER:
        return ""
    when = " once its nodes are there" if action.awaits else ""
    return f"serves after about {span(cost.duration)}{when} ({_basis(action)})"


def _why_unknown(action: Action) -> str:
    return NOT_MEASURED if action.replicas_after else "it starts with the next request"


def _basis(action: Action) -> str:
    measured = action.cost is not None and action.cost.load_time.basis is Basis.MEASURED
    return f"load time {'measured' if measured else 'from its file'}"


def load_time(action: Action) -> str:
    """The load time and what it rests on: `95 s (measured)`."""
    found = action.cost.load_time if action.cost else None
    if found is None or found.seconds is None:
        return "not measured yet"
    return f"{duration(found.seconds)} ({found.basis.value})"


def time_limit(action: Action) -> str:
    """When apply gives up, and what that rests on: `20 min (default)`."""
    basis = {
        LimitBasis.WRITTEN: "as its file says",
        LimitBasis.LOAD_TIME: "from its load time",
        LimitBasis.DEFAULT: "default",
    }
    return f"{duration(action.timeout_s)} ({basis[action.timeout_basis]})"


def gpu_rows(cost: DailyCost | None) -> list[tuple[str, str, str]]:
    """Per accelerator type, and in money where there are prices: the name, before and after, each from the least to
    the most of autoscaling. Empty where no model uses a GPU."""
    if cost is None:
        return []
    before, after = cost.before, cost.after
    kinds = sorted({*before.floor, *before.ceiling, *after.floor, *after.ceiling})
    rows = [(printable(kind), _range(before, kind), _range(after, kind)) for kind in kinds]
    if rows and cost.currency is not None:
        missing = f" without {', '.join(printable(kind) for kind in cost.unpriced)}" if cost.unpriced else ""
        rows.append((f"{cost.currency}{missing}", _money(before), _money(after)))
    return rows


def _range(daily: Daily, kind: str) -> str:
    return _from_to((f"{daily.floor.get(kind, 0.0):.10g}", f"{daily.ceiling.get(kind, 0.0):.10g}"))


def _money(daily: Daily) -> str:
    return _from_to(tuple(f"{amount or 0.0:.2f}" for amount in (daily.money_floor, daily.money_ceiling)))


def _from_to(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
