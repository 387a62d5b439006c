"""Whether there is so much room that replicas find their places in any order, found out by counting.

A replica finds a place as long as some node could hold all of it, and each other replica takes the place of so many at
most. The same goes for nodes, where the bundles of a group go to one each. Where counting is not enough,
`state.outcomes` tries.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Kind
from reconciler.state.devices import DEVICE_RESOURCES
from reconciler.state.free import Free
from reconciler.state.placement import Room
from reconciler.state.starts import units_of
from reconciler.state.units import RESOLUTION, Units, fits, sum_units


def has_enough(room: Room, starting: Mapping[Kind, int], before: Mapping[Kind, int]) -> bool:
    """Whether so much is free that this many replicas of each kind find places in any order; False says nothing. Those
    of `before` have taken theirs since the room looked like that."""
    counts, nodes = Counter(starting) + Counter(before), room.kinds
    return all(_finds_place(kind, counts, nodes) for kind in starting)


def _finds_place(kind: Kind, counts: Mapping[Kind, int], nodes: Mapping[Free, int]) -> bool:
    return _has_places(kind, counts, nodes) or (
        kind[1] is not PlacementStrategy.STRICT_PACK and _has_nodes(kind, counts, nodes)
    )


def _has_places(kind: Kind, counts: Mapping[Kind, int], nodes: Mapping[Free, int]) -> bool:
    """Whether a node with room for the whole replica is left, whatever the others take."""
    if kind[1] is PlacementStrategy.STRICT_SPREAD and len(kind[0]) > 1:
        return False
    taken = sum(_places_taken(other, kind) * _others(other, kind, counts) for other in counts)
    left = taken + 1
    for free, count in nodes.items():
        left -= _places(free, kind, left) * count
        if left <= 0:
            return True
    return False


def _has_nodes(kind: Kind, counts: Mapping[Kind, int], nodes: Mapping[Free, int]) -> bool:
    """Whether there is a node for each bundle, when each bundle of the others makes one node useless."""
    strict = kind[1] is PlacementStrategy.STRICT_SPREAD
    if not strict and any(_has_fraction(dict(units)) for units in kind[0]):
        return False
    wanted = {name for units in kind[0] for name, _ in units}
    taken = sum(
        sum(any(name in wanted for name, _ in units) for units in other[0]) * _others(other, kind, counts)
        for other in counts
    )
    return all(
        # Where the sums promise more than the devices hold, a raylet refuses what Ray chose, and the node is out.
        sum(count for free, count in nodes.items() if _holds(free, dict(units)) and (strict or _is_whole(free)))
        >= taken + len(kind[0])
        for units in set(kind[0])
    )


def _others(other: Kind, kind: Kind, counts: Mapping[Kind, int]) -> int:
    return counts[other] - (other == kind)


@lru_cache(maxsize=4096)
def _places_taken(other: Kind, kind: Kind) -> int:
    """How many places for a replica another one takes at most."""
    bundles, strategy = units_of(other), other[1]
    total, wanted = sum_units(bundles), sum_units(units_of(kind))
    one_by_one = sum(_places_in(units, wanted) for units in bundles)
    if any(map(_has_fraction, bundles)):
        # Each may be on a device of its own.
        return one_by_one
    if strategy is PlacementStrategy.STRICT_PACK:
        return _places_in(total, wanted)
    if strategy is PlacementStrategy.PACK and total.keys() <= wanted.keys():
        return min(one_by_one, _places_packed(bundles, wanted))
    return one_by_one


def _places_packed(bundles: Sequence[Units], wanted: Units) -> int:
    """How many places a replica takes whose bundles share nodes as far as they can.

    Ray leaves a node for the next one only when some bundle does not fit there any more. So a node had at most so many
    places as what was put there and not quite one bundle more make up; on the last node it is what was put there.
    """
    sizes = {name: sorted((units.get(name, 0) for units in bundles), reverse=True) for name in wanted}
    taken = [0]
    for count in range(1, len(bundles) + 1):
        here = {name: sum(largest[:count]) for name, largest in sizes.items()}
        there = _places_in(here, wanted)
        for left, before in enumerate(taken[1:], start=1):
            full = {name: sum(largest[: count - left]) + largest[0] - 1 for name, largest in sizes.items()}
            there = max(there, before + max((full[name] // wanted[name] for name in sizes), default=0))
        taken.append(there)
    return taken[-1]


def _places_in(units: Units, wanted: Units) -> int:
    """How many places for so much an amount on one node takes at most."""
    return max((-(-amount // wanted[name]) for name, amount in units.items() if name in wanted), default=0)


@lru_cache(maxsize=4096)
def _places_of(free: Free, kind: Kind, most: int) -> int:
    bundles, total = units_of(kind), sum_units(units_of(kind))
    count = 0
    while count < most and fits(total, free.amounts):
        after = free.take(bundles)
        if after is None:
            break
        free, count = after, count + 1
    return count


def _places(free: Free, kind: Kind, most: int) -> int:
    """How many whole replicas a node holds, up to `most`."""
    # One limit for all questions up to it, so that answers are found again.
    return min(_places_of(free, kind, 1 << most.bit_length()), most)


def _holds(free: Free, units: Units) -> bool:
    return fits(units, free.amounts) and free.take((units,)) is not None


def _is_whole(free: Free) -> bool:
    return all(level in (0, RESOLUTION) for devices in free.devices.values() for level in devices)


def _has_fraction(units: Units) -> bool:
    return any(units[name] % RESOLUTION for name in DEVICE_RESOURCES & units.keys())
