"""Which bundles fit on which nodes: Ray's placement groups, replayed on plain numbers.

Ray places the bundles of a group largest first, each on the node it likes best, and waits when one finds no node
(`src/ray/raylet/scheduling/policy/bundle_scheduling_policy.cc`). The same is done here, in one pass without
backtracking: what is called fitting can be placed as it stands, and where only a cleverer packing would do, Ray's own
pass is as likely to miss it. Amounts are counted in ten-thousandths, the resolution Ray itself has (`FixedPoint`).
Ray also keeps fractions of a GPU together on one device; nodes report no devices, so that is not replayed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.registry.spec import PlacementStrategy
from reconciler.state.capacity import Bundles

RESOLUTION = 10_000
"""Units in one logical resource."""

Units = dict[str, int]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the bundles of one replica went: the node's index for each bundle."""

    bundles: Bundles
    nodes: tuple[int, ...]


class Room:
    """What is free on each node while replicas are placed and taken away; nodes are addressed by index.

    The only thing here that changes: whoever plans makes one, and `copy` is cheap.
    """

    def __init__(self, total: Iterable[Mapping[str, float]], used: Iterable[Mapping[str, float]] | None = None) -> None:
        self._total = [to_units(node) for node in total]
        taken = [to_units(node) for node in used] if used is not None else [{} for _ in self._total]
        self._free = [
            {resource: max(amount - in_use.get(resource, 0), 0) for resource, amount in node.items()}
            for node, in_use in zip(self._total, taken, strict=True)
        ]

    def copy(self) -> "Room":
        """An independent room that looks the same now."""
        other = Room(())
        other._total = self._total
        other._free = [dict(node) for node in self._free]
        return other

    def become(self, other: "Room") -> None:
        """Look like another room of the same nodes from now on."""
        self._free = [dict(node) for node in other._free]

    def emptied(self) -> "Room":
        """The same nodes with nothing on them."""
        other = Room(())
        other._total = self._total
        other._free = [dict(node) for node in self._total]
        return other

    @property
    def free(self) -> tuple[Mapping[str, float], ...]:
        """What is free on each node."""
        return tuple(from_units(node) for node in self._free)

    @property
    def used(self) -> dict[str, float]:
        """What is in use on all nodes together, by resource."""
        total: Units = {}
        for node, free in zip(self._total, self._free, strict=True):
            for resource, amount in node.items():
                total[resource] = total.get(resource, 0) + amount - free[resource]
        return from_units({resource: total[resource] for resource in sorted(total)})

    def take(self, bundles: Bundles) -> Placement | None:
        """Place one replica, or change nothing and return None when it does not fit."""
        wanted = [to_units(bundle) for bundle in bundles.bundles]
        chosen = _STRATEGIES[bundles.strategy](wanted, self._free)
        if chosen is None:
            return None
        for units, node in zip(wanted, chosen, strict=True):
            _subtract(self._free[node], units)
        return Placement(bundles, tuple(chosen))

    def take_all(self, bundles: Bundles, count: int) -> tuple[Placement, ...] | None:
        """Place `count` replicas, or change nothing and return None when not all of them fit."""
        placements: list[Placement] = []
        for _ in range(count):
            placement = self.take(bundles)
            if placement is None:
                for placed in placements:
                    self.give(placed)
                return None
            placements.append(placement)
        return tuple(placements)

    def count(self, bundles: Bundles, most: int) -> int:
        """How many replicas fit, up to `most`; nothing stays placed."""
        trial = self.copy()
        return next((fitted for fitted in range(most) if trial.take(bundles) is None), most)

    def give(self, placement: Placement) -> None:
        """Take a placed replica away again."""
        for bundle, node in zip(placement.bundles.bundles, placement.nodes, strict=True):
            for resource, amount in to_units(bundle).items():
                self._free[node][resource] += amount

    def release(self, bundles: Bundles, home: int) -> None:
        """Take away a running replica of which only the node of its actor is known.

        A bundle is freed on that node as far as something is in use there, and the rest of the bundles on the next
        nodes that have it in use: an estimate for a replica that spans nodes, exact for one that does not.
        """
        order = [home, *(node for node in range(len(self._free)) if node != home)]
        for bundle in bundles.bundles:
            units = to_units(bundle)
            for node in order:
                if all(self._in_use(node, resource) >= amount for resource, amount in units.items()):
                    for resource, amount in units.items():
                        self._free[node][resource] += amount
                    break

    def _in_use(self, node: int, resource: str) -> int:
        return self._total[node].get(resource, 0) - self._free[node].get(resource, 0)


def place(replicas: Sequence[Bundles], nodes: Sequence[Mapping[str, float]]) -> tuple[Placement | None, ...]:
    """Place replicas one after the other on nodes with these free resources; None for each that does not fit."""
    room = Room(nodes)
    return tuple(room.take(replica) for replica in replicas)


def to_units(resources: Mapping[str, float]) -> Units:
    """Resources in ten-thousandths, without those of amount zero."""
    return {resource: units for resource, amount in resources.items() if (units := round(amount * RESOLUTION)) > 0}


def from_units(units: Units) -> dict[str, float]:
    """The resources that `to_units` counted."""
    return {resource: amount / RESOLUTION for resource, amount in units.items()}


def fits(units: Units, free: Mapping[str, int]) -> bool:
    """Whether one node has what one bundle wants."""
    return all(free.get(resource, 0) >= amount for resource, amount in units.items())


def _subtract(free: Units, units: Units) -> None:
    for resource, amount in units.items():
        free[resource] -= amount


def _largest_first(wanted: Sequence[Units]) -> list[int]:
    # GPUs decide first, as in Ray, then everything else together; equal bundles keep their order.
    return sorted(
        range(len(wanted)), key=lambda index: (-wanted[index].get("GPU", 0), -sum(wanted[index].values()), index)
    )


def _left_over(units: Units, free: Mapping[str, int]) -> int:
    return sum(free[resource] - amount for resource, amount in units.items())


def _pack(wanted: Sequence[Units], nodes: Sequence[Units]) -> list[int] | None:
    chosen = _strict_pack(wanted, nodes)
    if chosen is not None:
        return chosen
    chosen = [-1] * len(wanted)
    open_nodes = set(range(len(nodes)))
    rest = _largest_first(wanted)
    while rest:
        # The node that holds most of what is left, so that the group ends up on few nodes.
        fillings = {node: _fill(wanted, rest, nodes[node]) for node in sorted(open_nodes)}
        best = max(fillings, key=lambda node: (len(fillings[node]), -node), default=None)
        if best is None or not fillings[best]:
            return None
        for index in fillings[best]:
            chosen[index] = best
        open_nodes.remove(best)
        rest = [index for index in rest if chosen[index] < 0]
    return chosen


def _fill(wanted: Sequence[Units], order: Sequence[int], node: Units) -> list[int]:
    free = dict(node)
    held = []
    for index in order:
        if fits(wanted[index], free):
            _subtract(free, wanted[index])
            held.append(index)
    return held


def _strict_pack(wanted: Sequence[Units], nodes: Sequence[Units]) -> list[int] | None:
    total: Units = {}
    for units in wanted:
        for resource, amount in units.items():
            total[resource] = total.get(resource, 0) + amount
    able = [node for node, free in enumerate(nodes) if fits(total, free)]
    if not able:
        return [] if not wanted else None
    # The tightest node, so that the roomy ones stay whole for larger replicas.
    best = min(able, key=lambda node: (_left_over(total, nodes[node]), node))
    return [best] * len(wanted)


def _spread(wanted: Sequence[Units], nodes: Sequence[Units]) -> list[int] | None:
    free = [dict(node) for node in nodes]
    bundles_on = [0] * len(nodes)
    chosen = [-1] * len(wanted)
    for index in _largest_first(wanted):
        able = [node for node in range(len(nodes)) if fits(wanted[index], free[node])]
        if not able:
            return None
        best = min(able, key=lambda node: (bundles_on[node], _left_over(wanted[index], free[node]), node))
        _subtract(free[best], wanted[index])
        bundles_on[best] += 1
        chosen[index] = best
    return chosen


def _strict_spread(wanted: Sequence[Units], nodes: Sequence[Units]) -> list[int] | None:
    chosen = _spread(wanted, nodes)
    return chosen if chosen is not None and len(set(chosen)) == len(chosen) else None


_STRATEGIES = {
    PlacementStrategy.PACK: _pack,
    PlacementStrategy.STRICT_PACK: _strict_pack,
    PlacementStrategy.SPREAD: _spread,
    PlacementStrategy.STRICT_SPREAD: _strict_spread,
}
