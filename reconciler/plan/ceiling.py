"""What autoscaling may ask for when every model is at its maximum, and who then goes short."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from reconciler.plan.footing import homes, live_bundles
from reconciler.plan.text import plural
from reconciler.state.capacity import Bundles, add_up, add_up_replicas
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import LiveState
from reconciler.state.misfit import amounts
from reconciler.state.placement import Room

MOST_MODELS = 300
"""With more models only sums are compared: placing every replica of a thousand models takes longer than the plan."""
MOST_PAIRS = 5
"""Pairs of models that are named."""
MOST_TRIED = 200
"""Pairs that are tried."""


def ceiling(desired: DesiredState) -> dict[str, float]:
    """The resources of all models at their maximum."""
    return add_up_replicas((entry.bundles, entry.max_replicas) for entry in desired.applications)


def starving(desired: DesiredState, live: LiveState, room: Room, node_index: Mapping[str, int]) -> tuple[str, ...]:
    """Warnings about models that cannot all reach their maximum at once.

    `room` is the cluster as it is, with every node that it may ever have. What is not ours stays as it is.
    """
    scaled = [entry for entry in desired.applications if entry.max_replicas > entry.min_replicas]
    if not scaled:
        return ()
    if len(desired.applications) > MOST_MODELS:
        return tuple(_by_sums(desired, live, scaled, room, node_index))
    base = _fewest(desired, live, room, node_index)
    if base is None:
        return ()
    alone = [one for entry in scaled if (one := _Climb.alone(entry, base)).reached == one.entry.max_replicas]
    short = _together(alone, base)
    if not short:
        return ()
    return (_told(desired, base, short), *_pairs(alone, base))


@dataclass(frozen=True, slots=True)
class _Climb:
    """How far a model gets from its minimum."""

    entry: DesiredApplication
    reached: int

    @classmethod
    def alone(cls, entry: DesiredApplication, base: Room) -> "_Climb":
        """When all others stay at theirs."""
        more = entry.max_replicas - entry.min_replicas
        return cls(entry, entry.min_replicas + base.count(entry.bundles, more))


def _ours(
    desired: DesiredState, live: LiveState, node_index: Mapping[str, int]
) -> Iterator[tuple[Bundles, tuple[int, ...]]]:
    """The bundles of every application of ours, and the nodes of its replicas."""
    for entry in live.applications:
        if entry.application is not None and entry.application.owner == desired.owner:
            yield live_bundles(entry.application), homes(entry, node_index)


def _fewest(desired: DesiredState, live: LiveState, room: Room, node_index: Mapping[str, int]) -> Room | None:
    """The room with every model of ours at its minimum; None where not even that fits."""
    base = room.copy()
    for bundles, places in _ours(desired, live, node_index):
        for home in places:
            base.release(bundles, home)
    largest = sorted(desired.applications, key=lambda entry: (-entry.bundles.total.get("GPU", 0.0), entry.name))
    fits = all(base.take_all(entry.bundles, entry.min_replicas) is not None for entry in largest)
    return base if fits else None


def _by_sums(
    desired: DesiredState,
    live: LiveState,
    scaled: Iterable[DesiredApplication],
    room: Room,
    node_index: Mapping[str, int],
) -> Iterator[str]:
    more = add_up_replicas((entry.bundles, entry.max_replicas - entry.min_replicas) for entry in scaled)
    back = add_up_replicas((bundles, len(places)) for bundles, places in _ours(desired, live, node_index))
    there = add_up((room.free_in_all, back))
    fewest = add_up_replicas((entry.bundles, entry.min_replicas) for entry in desired.applications)
    for name in sorted(more, key=lambda resource: (resource != "GPU", resource)):
        left = round(there.get(name, 0.0) - fewest.get(name, 0.0), 4)
        if more[name] > left >= 0:
            yield (
                f"not all models reach their maximum at the same time: above their minimum they may ask for "
                f"{more[name]:.10g} {name}, {left:.10g} are there"
            )
            return


def _together(climbs: Sequence[_Climb], base: Room) -> list[_Climb]:
    """Those who stay below their maximum when all climb in turns, one replica each."""
    room = base.copy()
    reached = {climb.entry.name: climb.entry.min_replicas for climb in climbs}
    climbing = list(climbs)
    while climbing:
        still = []
        for climb in climbing:
            entry = climb.entry
            if reached[entry.name] < entry.max_replicas and room.take(entry.bundles) is not None:
                reached[entry.name] += 1
                still.append(climb)
        climbing = still
    return [
        _Climb(climb.entry, reached[climb.entry.name])
        for climb in climbs
        if reached[climb.entry.name] < climb.entry.max_replicas
    ]


def _told(desired: DesiredState, base: Room, short: Sequence[_Climb]) -> str:
    needed = ceiling(desired)
    wanted = {name: amount for name, amount in needed.items() if any(name in one.entry.bundles.total for one in short)}
    fewest = add_up_replicas((entry.bundles, entry.min_replicas) for entry in desired.applications)
    there = base.free_in_all
    has = {name: round(fewest.get(name, 0.0) + there.get(name, 0.0), 4) for name in wanted}
    named = ", ".join(f"`{one.entry.name}` {one.reached} of {one.entry.max_replicas}" for one in short[:MOST_PAIRS])
    others = f" and {plural(len(short) - MOST_PAIRS, 'other')}" if len(short) > MOST_PAIRS else ""
    return (
        f"not all models reach their maximum at the same time: it takes {amounts(wanted)}, there are {amounts(has)}; "
        f"climbing side by side they reach {named}{others}"
    )


def _pairs(climbs: Sequence[_Climb], base: Room) -> Iterator[str]:
    """Two models of which only one reaches its maximum although the others stay at their minimum."""
    found: list[tuple[str, str]] = []
    answers: dict[tuple[object, ...], bool] = {}
    for one, other in combinations(climbs, 2):
        key = (_key(one.entry), _key(other.entry))
        if key not in answers:
            if len(answers) == MOST_TRIED:
                break
            answers[key] = not _together((one, other), base)
        if not answers[key]:
            found.append((one.entry.name, other.entry.name))
    if found:
        named = ", ".join(f"`{one}` and `{other}`" for one, other in found[:MOST_PAIRS])
        more = f", and {plural(len(found) - MOST_PAIRS, 'more pair')}" if len(found) > MOST_PAIRS else ""
        yield f"at their maximum these starve each other: {named}{more}"


def _key(entry: DesiredApplication) -> tuple[object, ...]:
    return (entry.min_replicas, entry.max_replicas, entry.bundles.kind)
