"""What a plan costs as JSON."""

from reconciler.plan.cost import Cost, Daily, DailyCost, Span
from reconciler.state.json_value import JsonValue

_SPANS = ("duration", "without_service", "less_capacity")


def cost_json(cost: Cost) -> dict[str, JsonValue]:
    """What one action costs; a span that is not known is null."""
    return {
        "load_time_s": cost.load_time.seconds,
        "load_time_basis": cost.load_time.basis.value,
        **{f"{name}_s": _span_json(getattr(cost, name)) for name in _SPANS},
        "serving": cost.serving,
    }


def daily_cost_json(cost: DailyCost) -> dict[str, JsonValue]:
    """What the GPUs cost a day, before and after."""
    return {
        "before": _daily_json(cost.before),
        "after": _daily_json(cost.after),
        "currency": cost.currency,
        "unpriced": list(cost.unpriced),
    }


def _span_json(span: Span | None) -> JsonValue:
    return span and {"least": span.least, "most": span.most}


def _daily_json(daily: Daily) -> dict[str, JsonValue]:
    return {
        "gpu_hours_floor": dict(daily.floor),
        "gpu_hours_ceiling": dict(daily.ceiling),
        "money_floor": daily.money_floor,
        "money_ceiling": daily.money_ceiling,
    }
