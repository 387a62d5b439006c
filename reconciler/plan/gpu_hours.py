"""What the GPUs of all models take and cost a day, before and after a plan.

Counted is what replicas ask for, not what nodes stand by: a node that idles costs as well, and only its provider knows
how long it stays.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.plan.cost import Daily, DailyCost
from reconciler.plan.footing import ASKED, live_bundles
from reconciler.plan.match import Match
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.live import Node

if TYPE_CHECKING:
    # A plan from what is remembered does not pay for the forms.
    from reconciler.registry.cluster import Prices

HOURS = 24.0

UNKNOWN_TYPE = "GPU"
"""Stands for accelerators of which neither the model nor the nodes say the type."""

_TYPE = "accelerator_type:"

_Use = tuple[Bundles, int, int]
"""The resources of one replica, and the fewest and the most replicas."""

_NOTHING: _Use = (Bundles(()), 0, 0)


def daily_cost(found: Match, nodes: Iterable[Node], prices: "Prices | None", held: Collection[str]) -> DailyCost:
    """What our applications take now, and what they will take when all candidates but those in `held` are as the
    registry says."""
    there = {entry.name: _live_use(entry.application) for entry in found.owned if entry.application is not None}
    after = dict(there)
    for candidate in found.candidates:
        if candidate.name not in held:
            wanted = candidate.desired
            after[candidate.name] = (wanted.bundles, wanted.min_replicas, wanted.max_replicas) if wanted else _NOTHING
    only = _only_type(nodes)
    before_hours, after_hours = _hours(there.values(), only), _hours(after.values(), only)
    types = sorted({*before_hours[1], *after_hours[1]})
    return DailyCost(
        before=_daily(before_hours, prices),
        after=_daily(after_hours, prices),
        currency=prices.currency if prices else None,
        unpriced=tuple(kind for kind in types if kind not in prices.gpu_hour) if prices else (),
    )


def _live_use(application: Application) -> _Use:
    """What a live application takes by its config. Somebody may have changed that, so nothing is taken for granted."""
    overrides = application.excerpt(ASKED).get("deployments") or ()
    bounds = [_bounds(override) for override in overrides]
    low, high = bounds[0] if bounds else (1, 1)
    return live_bundles(application), low, high


def _bounds(override: Mapping[str, object]) -> tuple[int, int]:
    scaling = override.get("autoscaling_config")
    if isinstance(scaling, dict):
        low = _count(scaling.get("min_replicas"))
        return low, max(_count(scaling.get("max_replicas")), low)
    fixed = _count(override.get("num_replicas"))
    return fixed, fixed


def _count(value: object) -> int:
    # Ray's default of all three is one.
    return int(value) if isinstance(value, int | float) else 1


def _hours(uses: Collection[_Use], only: str | None) -> tuple[dict[str, float], dict[str, float]]:
    floor: dict[str, float] = {}
    ceiling: dict[str, float] = {}
    known: dict[int, Mapping[str, float]] = {}
    for bundles, low, high in uses:
        gpus_of = known.get(id(bundles))
        if gpus_of is None:
            gpus_of = known[id(bundles)] = gpus_by_type(bundles, only)
        for kind, gpus in gpus_of.items():
            for total, replicas in ((floor, low), (ceiling, high)):
                total[kind] = total.get(kind, 0.0) + gpus * replicas * HOURS
    return _rounded(floor), _rounded(ceiling)


def gpus_by_type(bundles: Bundles, only: str | None) -> dict[str, float]:
    """The GPUs of one replica by accelerator type. A bundle that names none is of the type that another bundle of the
    replica names, else of `only`, the one type that the nodes have."""
    named = {_type_of(bundle) for bundle in bundles.bundles} - {None}
    fallback = (named.pop() if len(named) == 1 else only) or UNKNOWN_TYPE
    result: dict[str, float] = {}
    for bundle in bundles.bundles:
        if bundle.get("GPU"):
            kind = _type_of(bundle) or fallback
            result[kind] = result.get(kind, 0.0) + bundle["GPU"]
    return result


def _type_of(bundle: Mapping[str, float]) -> str | None:
    return next((name.removeprefix(_TYPE) for name in sorted(bundle) if name.startswith(_TYPE)), None)


def _only_type(nodes: Iterable[Node]) -> str | None:
    kinds = {_type_of(node.total) for node in nodes if node.total.get("GPU")}
    return kinds.pop() if len(kinds) == 1 else None


def _rounded(hours: Mapping[str, float]) -> dict[str, float]:
    return {kind: round(hours[kind], 2) for kind in sorted(hours)}


def _daily(hours: tuple[Mapping[str, float], Mapping[str, float]], prices: "Prices | None") -> Daily:
    floor, ceiling = hours
    return Daily(floor, ceiling, _money(floor, prices), _money(ceiling, prices))


def _money(hours: Mapping[str, float], prices: "Prices | None") -> float | None:
    if prices is None:
        return None
    return round(sum(amount * prices.gpu_hour.get(kind, 0.0) for kind, amount in hours.items()), 2)
