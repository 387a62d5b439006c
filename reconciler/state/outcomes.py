"""How the nodes may look when replicas have started in whatever order, with whatever luck: every way is tried.

Ray takes the applications of a document in an order of its own, and a replica that it has to try again goes to the end;
among equally good nodes it picks by chance. A promise holds only if every way leads to a place for all.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from reconciler.state.capacity import Kind
from reconciler.state.placement import Look, Room
from reconciler.state.ray_pass import largest_first
from reconciler.state.search import Answer, Budget
from reconciler.state.starts import Start, count_kinds
from reconciler.state.units import sum_units

MOST_OUTCOMES = 64
"""Rooms that are told apart when all have a place; more are not followed."""
NODES_PER_STEP = 32
"""On a larger cluster a step takes longer, and counts for more."""


def outcomes(
    rooms: Iterable[Room], starts: Sequence[Start], marked: Collection[int], budget: Budget
) -> tuple[Answer, list[Room]]:
    """Start all in every order and with every pick, from each of the rooms: YES with the rooms that may be left, NO
    where one way leaves a replica without a place, UNKNOWN where the budget or the number of rooms ends first.

    Nodes that something will leave later are `marked`: they are told apart.
    """
    kinds = {start.bundles.kind: start.bundles for start in starts}
    # The way that is tried first is the one that most often fails: the smallest take places of the largest.
    order = largest_first([sum_units(bundles.units) for bundles in kinds.values()])
    smallest_last = [list(kinds)[index] for index in order]
    first = _Todo.of(starts)
    waiting = [(room, first) for room in rooms]
    cost = 1 + max((sum(room.kinds.values()) for room, _ in waiting), default=0) // NODES_PER_STEP
    seen: set[tuple[Look, _Todo]] = set()
    ends: dict[Look, Room] = {}
    while waiting:
        room, todo = waiting.pop()
        here = room.look(marked)
        if (here, todo) in seen:
            continue
        seen.add((here, todo))
        if todo.is_done:
            ends.setdefault(here, room)
            if len(ends) > MOST_OUTCOMES:
                return Answer.UNKNOWN, []
            continue
        for index in todo.stopping:
            start = starts[index]
            left = room.copy()
            for home in start.homes:
                left.release(start.old, home)
            waiting.append((left, todo.stopped(index, start)))
        counts = dict(todo.counts)
        for kind in smallest_last:
            if kind not in counts:
                continue
            rest = todo.less_one(kind)
            for after in room.every_take(kinds[kind], marked):
                if not budget.spend(cost):
                    return Answer.UNKNOWN, []
                if after is None:
                    return Answer.NO, []
                waiting.append((after, rest))
    return Answer.YES, list(ends.values())


@dataclass(frozen=True, slots=True)
class _Todo:
    """What has still to start, by kind, and the indexes of those where something has to stop first."""

    counts: frozenset[tuple[Kind, int]]
    stopping: frozenset[int]

    @classmethod
    def of(cls, starts: Sequence[Start]) -> "_Todo":
        counts = count_kinds(start for start in starts if not start.homes)
        return cls(frozenset(counts.items()), frozenset(index for index, start in enumerate(starts) if start.homes))

    @property
    def is_done(self) -> bool:
        return not self.counts and not self.stopping

    def stopped(self, index: int, start: Start) -> "_Todo":
        """The old replicas of one are gone, and its new ones may start."""
        counts = Counter(dict(self.counts)) + count_kinds((start,))
        return _Todo(frozenset(counts.items()), self.stopping - {index})

    def less_one(self, kind: Kind) -> "_Todo":
        """One more has its place."""
        counts = Counter(dict(self.counts)) - Counter((kind,))
        return _Todo(frozenset(counts.items()), self.stopping)
