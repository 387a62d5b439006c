"""The room on a cluster's nodes while replicas are placed and taken away, in Ray's own way.

Placing is Ray's pass (`state.ray_pass`), because what Ray does not find waits for ever; whether something else could
be found is asked of `state.search`. Nodes with the same left are kept together, so that a thousand replicas on
hundreds of nodes cost little.
"""

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.free import Free
from reconciler.state.ray_pass import earliest, every_pass, latest, ray_pass
from reconciler.state.search import Answer, Budget, can_hold
from reconciler.state.units import RESOLUTION, Units, fits, from_units, sum_units, to_units

__all__ = ["RESOLUTION", "Placement", "Room", "place", "to_units"]

Look = tuple[frozenset[tuple[Free, int]], tuple[Free, ...]]
"""What is free on the nodes of a room, some of them told apart."""

Pieces = Mapping[str, Sequence[float]]
"""By resource the amounts that are known to be in use one by one, such as three replicas of a quarter GPU."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the bundles of one replica went: the node's index for each bundle."""

    bundles: Bundles
    nodes: tuple[int, ...]


class Room:
    """What is free on each node while replicas are placed and taken away; nodes are addressed by index.

    The only thing here that changes: whoever plans makes one, and `copy` is cheap.
    """

    def __init__(
        self,
        total: Iterable[Mapping[str, float]],
        used: Iterable[Mapping[str, float]] | None = None,
        pieces: Iterable[Pieces] | None = None,
    ) -> None:
        self._total = [to_units(node) for node in total]
        self._in_use = [to_units(node) for node in used] if used is not None else [{} for _ in self._total]
        known = [_units_of(node) for node in pieces] if pieces is not None else [{} for _ in self._total]
        self._free = _free(self._total, self._in_use, known)
        self._sum_total = sum_units(self._total)
        self._sum_free = sum_units(free.amounts for free in self._free)
        self._groups: dict[Free, list[int]] = {}
        for index, free in enumerate(self._free):
            self._groups.setdefault(free, []).append(index)
        self._late = False

    def copy(self) -> "Room":
        """An independent room that looks the same now."""
        other = Room(())
        other._late = self._late
        other.become(self)
        return other

    def become(self, other: "Room") -> None:
        """Look like another room from now on."""
        self._total, self._sum_total = other._total, other._sum_total
        self._free = list(other._free)
        self._sum_free = dict(other._sum_free)
        self._groups = {free: list(members) for free, members in other._groups.items()}

    def emptied(self) -> "Room":
        """The same nodes with nothing on them."""
        other = Room(())
        other._total, other._sum_total = self._total, self._sum_total
        nothing: list[dict[str, int]] = [{} for _ in self._total]
        other._free = _free(self._total, nothing, [{} for _ in self._total])
        other._sum_free = dict(self._sum_total)
        for index, free in enumerate(other._free):
            other._groups.setdefault(free, []).append(index)
        return other

    def add_node(self, resources: Mapping[str, float]) -> None:
        """One more node with nothing on it; its index follows the others'."""
        units = to_units(resources)
        free = Free.of_node(units, {}, {})
        self._groups.setdefault(free, []).append(len(self._free))
        self._total = [*self._total, units]
        self._free.append(free)
        self._sum_total = sum_units((self._sum_total, units))
        self._sum_free = sum_units((self._sum_free, free.amounts))

    def with_other_luck(self) -> "Room":
        """A copy in which Ray's choice among equally good nodes falls the other way."""
        other = self.copy()
        other._late = not self._late
        return other

    @property
    def free(self) -> tuple[Mapping[str, float], ...]:
        """What is free on each node."""
        return tuple(from_units(node.amounts) for node in self._free)

    @property
    def free_in_all(self) -> Mapping[str, float]:
        """What is free on all nodes together, by resource."""
        return from_units(self._sum_free)

    @property
    def total(self) -> tuple[Mapping[str, float], ...]:
        """What each node has."""
        return tuple(from_units(node) for node in self._total)

    @property
    def used(self) -> dict[str, float]:
        """What is in use on all nodes together, by resource."""
        return from_units(
            {resource: amount - self._sum_free[resource] for resource, amount in sorted(self._sum_total.items())}
        )

    def looks_like(self, other: "Room") -> bool:
        """Whether the same is free, on whichever nodes."""
        return self.kinds == other.kinds

    def has_more_than(self, other: "Room") -> bool:
        """Whether more of any resource is free, over all nodes."""
        return any(amount > other._sum_free.get(resource, 0) for resource, amount in self._sum_free.items())

    def take(self, bundles: Bundles) -> Placement | None:
        """Place one replica where Ray would, or change nothing and return None when Ray finds no place."""
        found = ray_pass(bundles.units, bundles.strategy, self._groups, latest if self._late else earliest)
        if found is None:
            return None
        for node, free in found.left.items():
            self._set(node, free)
        return Placement(bundles, found.nodes)

    def every_take(self, bundles: Bundles, marked: Collection[int]) -> "Iterator[Room | None]":
        """The rooms that Ray may leave when it places one replica, None for each way on which it finds no place. Nodes
        where the same is free are told from each other as far as they are `marked`."""
        for found in every_pass(bundles.units, bundles.strategy, self._groups, marked):
            if found is None:
                yield None
                continue
            room = self.copy()
            for node, free in found.left.items():
                room._set(node, free)
            yield room

    def look(self, marked: Collection[int]) -> Look:
        """Equal for rooms where the same is free on each of the `marked` nodes and, on whichever, on the others."""
        known = Counter(self._free[node] for node in marked)
        others = ((free, len(members) - known[free]) for free, members in self._groups.items())
        return frozenset(others), tuple(self._free[node] for node in sorted(marked))

    @property
    def kinds(self) -> Mapping[Free, int]:
        """On how many nodes exactly this is free."""
        return {free: len(members) for free, members in self._groups.items()}

    def take_all(self, bundles: Bundles, count: int) -> tuple[Placement, ...] | None:
        """Place `count` replicas, or change nothing and return None when not all of them find a place."""
        before: dict[int, Free] = {}
        placements: list[Placement] = []
        for _ in range(count):
            found = ray_pass(bundles.units, bundles.strategy, self._groups, latest if self._late else earliest)
            if found is None:
                for node, free in before.items():
                    self._set(node, free)
                return None
            for node, free in found.left.items():
                before.setdefault(node, self._free[node])
                self._set(node, free)
            placements.append(Placement(bundles, found.nodes))
        return tuple(placements)

    def choices(self, bundles: Bundles) -> int:
        """On how many nodes one replica, or the bundle of it that is hardest to place, fits by the sums now."""
        whole = bundles.strategy is PlacementStrategy.STRICT_PACK
        pieces = [sum_units(bundles.units)] if whole else bundles.units
        counts = (
            sum(len(nodes) for free, nodes in self._groups.items() if fits(piece, free.amounts)) for piece in pieces
        )
        return min(counts, default=len(self._free))

    def count(self, bundles: Bundles, most: int) -> int:
        """How many replicas find a place, up to `most`; nothing stays placed."""
        trial = self.copy()
        return next((fitted for fitted in range(most) if trial.take(bundles) is None), most)

    def could_hold(self, bundles: Bundles, count: int, budget: Budget) -> Answer:
        """Whether any placement holds `count` replicas at once, found by Ray or not."""
        return can_hold([(bundles.units, bundles.strategy)] * count, self._free, budget)

    def release(self, bundles: Bundles, home: int) -> None:
        """Take away a running replica of which only the node of its actor is known.

        A bundle is freed on that node as far as something is in use there, and the rest of the bundles on the next
        nodes that have it in use: an estimate for a replica that spans nodes, exact for one that does not.
        """
        order = [home, *(node for node in range(len(self._free)) if node != home)]
        for units in bundles.units:
            for node in order:
                left = self._free[node].give(units, self._total[node])
                if left is not None:
                    self._set(node, left)
                    break

    def occupy(self, bundles: Bundles, home: int) -> None:
        """Count a running replica of which only the node of its actor is known: the counterpart of `release`, for a
        cluster that does not say what is in use."""
        order = [home, *(node for node in range(len(self._free)) if node != home)]
        for units in bundles.units:
            for node in order:
                free = self._free[node]
                left = free.take((units,)) if fits(units, free.amounts) else None
                if left is not None:
                    self._set(node, left)
                    break

    def _set(self, node: int, free: Free) -> None:
        old = self._free[node]
        for resource, amount in free.amounts.items():
            self._sum_free[resource] += amount - old.amounts[resource]
        members = self._groups[old]
        members.remove(node)
        if not members:
            del self._groups[old]
        insort(self._groups.setdefault(free, []), node)
        self._free[node] = free


def _free(total: Iterable[Units], used: Iterable[Units], pieces: Iterable[Mapping[str, Sequence[int]]]) -> list[Free]:
    """What is free on each node. Thousands of nodes are of a few kinds, and each kind is worked out once."""
    known: dict[object, Free] = {}
    result = []
    for node, busy, parts in zip(total, used, pieces, strict=True):
        kind = (tuple(node.items()), tuple(busy.items()), tuple((name, tuple(parts[name])) for name in parts))
        free = known.get(kind)
        if free is None:
            free = known[kind] = Free.of_node(node, busy, parts)
        result.append(free)
    return result


def place(replicas: Sequence[Bundles], nodes: Sequence[Mapping[str, float]]) -> tuple[Placement | None, ...]:
    """Place replicas one after the other on nodes with these free resources; None for each that finds no place."""
    room = Room(nodes)
    return tuple(room.take(replica) for replica in replicas)


def _units_of(pieces: Pieces) -> dict[str, list[int]]:
    return {resource: [round(amount * RESOLUTION) for amount in amounts] for resource, amounts in pieces.items()}
