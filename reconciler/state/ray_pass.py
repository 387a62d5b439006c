"""Ray's own search for the nodes of one placement group, replayed (`bundle_scheduling_policy.cc`, `scorer.cc`, 2.60).

Ray takes the bundles largest first and puts each on the node where the largest share stays free, in one pass without
going back: what it does not find this way waits, even where another choice would do. It looks at sums; the raylet of a
chosen node then refuses what its devices cannot hold, and Ray tries the others. All this was compared with a real
cluster of several nodes (`tests/contract/nodes`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.free import Free
from reconciler.state.units import Units, fits, subtract, sum_units

_LAST = ("object_store_memory", "memory", "CPU")
_TIE = 1e-9
"""Scores that differ by less are equal: Ray adds up floating point numbers in no fixed order."""

Groups = Mapping[Free, Sequence[int]]
"""The nodes by what is free on them: equal ones are equally good."""


@dataclass(slots=True)
class _Node:
    """A node that holds a bundle of the group, and what is left on it by the sums."""

    index: int
    free: Units


@dataclass(frozen=True, slots=True)
class Found:
    """The node of each bundle, and what is free on those nodes then."""

    nodes: tuple[int, ...]
    left: Mapping[int, Free]


def ray_pass(
    wanted: Sequence[Units], strategy: PlacementStrategy, groups: Groups, *, late: bool = False
) -> Found | None:
    """Where Ray would place the bundles, or None where it finds no place.

    Among equally good nodes Ray's choice is chance; here it is the first, with `late` the last.
    """
    refused: set[int] = set()
    while True:
        candidates = _Candidates(groups, refused, late)
        chosen = _STRATEGIES[strategy](wanted, candidates)
        if chosen is None:
            return None
        left: dict[int, Free] = {}
        for node, free in candidates.popped.items():
            after = free.take(units for units, index in zip(wanted, chosen, strict=True) if index == node)
            if after is None:
                refused.add(node)
            else:
                left[node] = after
        if len(left) == len(candidates.popped):
            return Found(tuple(chosen), left)


class _Candidates:
    """The nodes that are still to choose from."""

    def __init__(self, groups: Groups, refused: set[int], late: bool) -> None:
        self._left = {free: [node for node in members if node not in refused] for free, members in groups.items()}
        self._late = late
        self.popped: dict[int, Free] = {}
        """The nodes chosen so far, as they were before."""

    def pop_best(self, units: Units) -> _Node | None:
        """Choose a node for a bundle; it cannot be chosen again."""
        best: tuple[float, int] | None = None
        found: Free | None = None
        for free, members in self._left.items():
            if not members or not fits(units, free.amounts):
                continue
            mark = score(units, free.amounts)
            order = members[0] if not self._late else -members[-1]
            if best is None or mark > best[0] + _TIE or (mark > best[0] - _TIE and order < best[1]):
                best, found = (mark, order), free
        if found is None:
            return None
        node = self._left[found].pop(-1 if self._late else 0)
        self.popped[node] = found
        return _Node(node, dict(found.amounts))


def score(units: Units, free: Mapping[str, int]) -> float:
    """How much Ray likes a node for a bundle that fits there: the shares that stay free, added up."""
    return sum((free[resource] - amount) / free[resource] for resource, amount in units.items())


def largest_first(wanted: Sequence[Units]) -> list[int]:
    """The order in which Ray places bundles: by GPUs, other resources by name, memory, CPUs."""
    custom = sorted({resource for units in wanted for resource in units} - {"GPU", *_LAST})
    order = ("GPU", *custom, *_LAST)
    return sorted(range(len(wanted)), key=lambda index: [-wanted[index].get(resource, 0) for resource in order])


def _pack(wanted: Sequence[Units], candidates: _Candidates) -> list[int] | None:
    chosen = [-1] * len(wanted)
    left = largest_first(wanted)
    while left:
        node = candidates.pop_best(wanted[left[0]])
        if node is None:
            return None
        rest = []
        for index in left:
            if fits(wanted[index], node.free):
                subtract(node.free, wanted[index])
                chosen[index] = node.index
            else:
                rest.append(index)
        left = rest
    return chosen


def _strict_pack(wanted: Sequence[Units], candidates: _Candidates) -> list[int] | None:
    if not wanted:
        return []
    node = candidates.pop_best(sum_units(wanted))
    return None if node is None else [node.index] * len(wanted)


def _spread(wanted: Sequence[Units], candidates: _Candidates) -> list[int] | None:
    chosen = [-1] * len(wanted)
    selected: list[_Node] = []
    for index in largest_first(wanted):
        node = candidates.pop_best(wanted[index])
        if node is not None:
            selected.append(node)
        else:
            able = [one for one in selected if fits(wanted[index], one.free)]
            node = max(able, key=lambda one: score(wanted[index], one.free), default=None)
        if node is None:
            return None
        subtract(node.free, wanted[index])
        chosen[index] = node.index
    return chosen


def _strict_spread(wanted: Sequence[Units], candidates: _Candidates) -> list[int] | None:
    chosen = [-1] * len(wanted)
    for index in largest_first(wanted):
        node = candidates.pop_best(wanted[index])
        if node is None:
            return None
        chosen[index] = node.index
    return chosen


_STRATEGIES = {
    PlacementStrategy.PACK: _pack,
    PlacementStrategy.STRICT_PACK: _strict_pack,
    PlacementStrategy.SPREAD: _spread,
    PlacementStrategy.STRICT_SPREAD: _strict_spread,
}
