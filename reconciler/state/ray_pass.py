"""Ray's own search for the nodes of one placement group, replayed (`bundle_scheduling_policy.cc`, `scorer.cc`, 2.60).

Ray takes the bundles largest first and puts each on the node where the largest share stays free, in one pass without
going back: what it does not find this way waits, even where another choice would do. It looks at sums; the raylet of a
chosen node then refuses what its devices cannot hold, and Ray tries the others. All this was compared with a real
cluster of several nodes (`tests/contract/nodes`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.free import Free
from reconciler.state.units import Units, fits, subtract, sum_units

T = TypeVar("T")

_LAST = ("object_store_memory", "memory", "CPU")
_TIE = 1e-9
"""Scores that differ by less are equal: Ray adds up floating point numbers in no fixed order."""

Groups = Mapping[Free, Sequence[int]]
"""The nodes by what is free on them: equal ones are equally good."""

Choose = Callable[[Sequence[Sequence[int]]], int]
"""Picks one of equally good nodes, which come in groups where the same is free, each in order. Ray's pick is chance."""


def earliest(groups: Sequence[Sequence[int]]) -> int:
    """The node that comes first."""
    return min(members[0] for members in groups)


def latest(groups: Sequence[Sequence[int]]) -> int:
    """The node that comes last: what is not certain often goes another way then."""
    return max(members[-1] for members in groups)


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
    wanted: Sequence[Units], strategy: PlacementStrategy, groups: Groups, choose: Choose = earliest
) -> Found | None:
    """Where Ray would place the bundles, or None where it finds no place."""
    refused: set[int] = set()
    while True:
        candidates = _Candidates(groups, refused, choose)
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


def every_pass(
    wanted: Sequence[Units], strategy: PlacementStrategy, groups: Groups, marked: Collection[int]
) -> Iterator[Found | None]:
    """Where Ray may place the bundles, whichever of equally good nodes it picks: None for each way on which it finds no
    place. Of nodes where the same is free one stands for all, but for those that are `marked`."""
    picks: list[int] = []
    while True:
        script = _Script(picks, marked)
        yield ray_pass(wanted, strategy, groups, script)
        while script.choices and script.choices[-1][0] + 1 == script.choices[-1][1]:
            script.choices.pop()
        if not script.choices:
            return
        picks = [pick for pick, _ in script.choices]
        picks[-1] += 1


class _Script:
    """Makes given picks, then the first ones, and notes each with the number of nodes that were to choose from."""

    def __init__(self, picks: Sequence[int], marked: Collection[int]) -> None:
        self._picks = picks
        self._marked = marked
        self.choices: list[tuple[int, int]] = []

    def __call__(self, groups: Sequence[Sequence[int]]) -> int:
        nodes = []
        for members in groups:
            unlike = [node for node in members if node in self._marked]
            alike = next((node for node in members if node not in self._marked), None)
            nodes += unlike if alike is None else [*unlike, alike]
        if len(nodes) == 1:
            return nodes[0]
        pick = self._picks[len(self.choices)] if len(self.choices) < len(self._picks) else 0
        self.choices.append((pick, len(nodes)))
        return nodes[pick]


class _Candidates:
    """The nodes that are still to choose from."""

    def __init__(self, groups: Groups, refused: set[int], choose: Choose) -> None:
        self._left = {free: [node for node in members if node not in refused] for free, members in groups.items()}
        self.choose = choose
        self.popped: dict[int, Free] = {}
        """The nodes chosen so far, as they were before."""

    def pop_best(self, units: Units) -> _Node | None:
        """Choose a node for a bundle; it cannot be chosen again."""
        able = [free for free, members in self._left.items() if members and fits(units, free.amounts)]
        best = _equally_best(able, lambda free: score(units, free.amounts))
        if not best:
            return None
        node = self.choose([self._left[free] for free in best])
        found = next(free for free in best if node in self._left[free])
        self._left[found].remove(node)
        self.popped[node] = found
        return _Node(node, dict(found.amounts))


def _equally_best(able: Sequence[T], mark: Callable[[T], float]) -> list[T]:
    """Those with the highest mark."""
    marks = [mark(one) for one in able]
    highest = max(marks, default=0.0)
    return [one for one, its in zip(able, marks, strict=True) if its > highest - _TIE]


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
            node = _best_again(wanted[index], selected, candidates.choose)
        if node is None:
            return None
        subtract(node.free, wanted[index])
        chosen[index] = node.index
    return chosen


def _best_again(units: Units, selected: Sequence[_Node], choose: Choose) -> _Node | None:
    """A node that holds another bundle of the group already."""
    able = [one for one in selected if fits(units, one.free)]
    best = _equally_best(able, lambda one: score(units, one.free))
    index = choose([[one.index] for one in best]) if best else None
    return next((one for one in best if one.index == index), None)


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
