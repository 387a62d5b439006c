"""Replicas that start together, counted by what they want."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.state.capacity import Bundles, Kind
from reconciler.state.units import Units


@dataclass(frozen=True, slots=True)
class Start:
    """Replicas of one application that start, and those that stop before any of them can."""

    bundles: Bundles
    count: int
    old: Bundles = field(default_factory=lambda: Bundles(()))
    homes: tuple[int, ...] = ()


def count_kinds(starts: Iterable[Start]) -> "Counter[Kind]":
    """How many replicas of each kind start."""
    counts: Counter[Kind] = Counter()
    for start in starts:
        if start.count:
            counts[start.bundles.kind] += start.count
    return counts


def units_of(kind: Kind) -> list[Units]:
    """The bundles of one."""
    return [dict(units) for units in kind[0]]
