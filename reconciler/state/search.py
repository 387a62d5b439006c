"""Whether any placement at all holds some replicas: a complete search, with a limit on its work.

Ray's own pass (`state.ray_pass`) decides what runs. This says what to tell people about the rest: what no choice of
nodes could hold can never run, and the other things may once something else moves.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.free import Free
from reconciler.state.ray_pass import largest_first
from reconciler.state.units import Units, fits, sum_units

STEPS = 20_000
"""Placements of a single bundle that one plan tries in all its searches: a second or so."""
LONGEST = 200
"""Bundles in one search; more are not even tried."""


class Answer(Enum):
    """What a search found out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The work limit was reached first."""


class Budget:
    """The steps that are left for the searches of one plan. Counted, not timed: the same plan gets the same answers."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps

    def spend(self, steps: int = 1) -> bool:
        """Use up steps; False when not so many are left."""
        self.steps -= steps
        return self.steps >= 0


Group = tuple[Sequence[Units], PlacementStrategy]
Nodes = Mapping[Free, int]
"""How many nodes have exactly this free. Equal nodes need no telling apart, which is what keeps the search small."""


def can_hold(groups: Sequence[Group], nodes: Iterable[Free], budget: Budget) -> Answer:
    """Whether the bundles of all groups find places at the same time."""
    pieces = [piece for bundles, strategy in groups for piece in _pieces(bundles, strategy)]
    if sum(len(piece.bundles) for piece in pieces) > LONGEST:
        return Answer.UNKNOWN
    search = _Search(pieces, budget)
    found = search.place(0, Counter(nodes), Counter())
    if found:
        return Answer.YES
    return Answer.UNKNOWN if budget.steps < 0 else Answer.NO


class _Piece:
    """Bundles that go to one node together: a single one, or all of a STRICT_PACK."""

    __slots__ = ("bundles", "spreads", "starts", "total")

    def __init__(self, bundles: Sequence[Units], *, spreads: bool = False, starts: bool = True) -> None:
        self.bundles = bundles
        self.total = sum_units(bundles)
        self.spreads = spreads
        self.starts = starts


def _pieces(bundles: Sequence[Units], strategy: PlacementStrategy) -> Iterator[_Piece]:
    if strategy is PlacementStrategy.STRICT_PACK:
        if bundles:
            yield _Piece(bundles)
        return
    spreads = strategy is PlacementStrategy.STRICT_SPREAD
    for number, index in enumerate(largest_first(bundles)):
        yield _Piece((bundles[index],), spreads=spreads, starts=number == 0)


class _Search:
    def __init__(self, pieces: Sequence[_Piece], budget: Budget) -> None:
        self._pieces = pieces
        self._budget = budget
        self._hopeless: set[tuple[int, frozenset[tuple[Free, int]], frozenset[tuple[Free, int]]]] = set()
        self._wanted: list[Units] = [{}]
        for piece in reversed(pieces):
            self._wanted.append(sum_units((self._wanted[-1], piece.total)))
        self._wanted.reverse()

    def place(self, number: int, nodes: Counter[Free], taken: Counter[Free]) -> bool:
        """Place all pieces from `number` on; `taken` are the nodes that a STRICT_SPREAD uses already."""
        if number == len(self._pieces):
            return True
        piece = self._pieces[number]
        if piece.starts and taken:
            nodes, taken = nodes + taken, Counter()
        key = (number, frozenset(nodes.items()), frozenset(taken.items()))
        if key in self._hopeless or not self._enough(number, nodes, taken):
            return False
        for free in _tightest_first(piece.total, nodes):
            for left in _ways(free, piece.bundles):
                if not self._budget.spend():
                    return False
                others = nodes.copy()
                others[free] -= 1
                if not others[free]:
                    del others[free]
                if self.place(number + 1, *_with(left, others, taken, spreads=piece.spreads)):
                    return True
        self._hopeless.add(key)
        return False

    def _enough(self, number: int, nodes: Counter[Free], taken: Counter[Free]) -> bool:
        total: Units = {}
        for side in (nodes, taken):
            for free, count in side.items():
                for resource, amount in free.amounts.items():
                    total[resource] = total.get(resource, 0) + amount * count
        return fits(self._wanted[number], total)


def _with(
    left: Free, others: Counter[Free], taken: Counter[Free], *, spreads: bool
) -> tuple[Counter[Free], Counter[Free]]:
    side = (taken if spreads else others).copy()
    side[left] += 1
    return (others, side) if spreads else (side, taken)


def _tightest_first(units: Units, nodes: Counter[Free]) -> list[Free]:
    able = [free for free in nodes if fits(units, free.amounts)]
    return sorted(
        able, key=lambda free: (sum(free.amounts[resource] for resource in units), sorted(free.amounts.items()))
    )


def _ways(free: Free, bundles: Sequence[Units]) -> Iterator[Free]:
    """Every different way in which one node may hold all the bundles."""
    if not bundles:
        yield free
        return
    for left in free.ways(bundles[0]):
        yield from _ways(left, bundles[1:])
