"""What a plan file says that the plan costs (`plan.encode_cost`)."""

from collections.abc import Mapping
from typing import Any

from reconciler.plan.cost import Basis, Cost, Daily, DailyCost, LoadTime, Span

_SPANS = ("duration", "without_service", "less_capacity")


def read_cost(document: Mapping[str, Any]) -> Cost:
    """The cost that `cost_json` wrote."""
    return Cost(
        LoadTime(document["load_time_s"], Basis(document["load_time_basis"])),
        **{name: _read_span(document[f"{name}_s"]) for name in _SPANS},
        serving=document["serving"],
    )


def read_daily_cost(document: Mapping[str, Any]) -> DailyCost:
    """The cost that `daily_cost_json` wrote."""
    return DailyCost(
        _read_daily(document["before"]),
        _read_daily(document["after"]),
        document["currency"],
        tuple(document["unpriced"]),
    )


def _read_span(document: Mapping[str, float] | None) -> Span | None:
    return None if document is None else Span(document["least"], document["most"])


def _read_daily(document: Mapping[str, Any]) -> Daily:
    return Daily(
        document["gpu_hours_floor"],
        document["gpu_hours_ceiling"],
        document["money_floor"],
        document["money_ceiling"],
    )
