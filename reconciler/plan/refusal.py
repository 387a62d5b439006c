"""Why a candidate finds no room, in words with numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.plan.footing import Footing
from reconciler.plan.plan import ActionKind
from reconciler.plan.rollout import would_do
from reconciler.plan.text import plural
from reconciler.state.capacity import Bundles, times
from reconciler.state.elastic import Spare
from reconciler.state.misfit import amounts, misfit
from reconciler.state.placement import Room
from reconciler.state.search import Answer, Budget

MOST_HOLDERS = 4
"""Applications that are named as those who hold the room; the others are counted."""

NEGLIGIBLE = 1e-4
"""Less than that is what adding up makes of nothing."""

Holders = Mapping[str, Mapping[str, float]]
"""What each live application takes, by its name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that finds no room: which guard says so, why, and what would release it."""

    footing: Footing
    guard: str
    reason: str
    release: str


def never(bundles: Bundles, replicas: int, empty: Room, spare: Spare, budget: Budget) -> str | None:
    """Why not even the empty cluster holds the replicas; None where it does, or where nobody knows.

    `empty` has all nodes, with those of `spare` that are still to be added.
    """
    most = empty.count(bundles, replicas)
    if most == replicas or empty.could_hold(bundles, replicas, budget) is not Answer.NO:
        return None
    added = ", ".join(f"{count} `{kind.name}`" for kind, count in spare.items() if count)
    grown = f"; that is with all that the autoscaler may add: {added}" if added else ""
    if not most and empty.could_hold(bundles, 1, budget) is Answer.NO:
        return f"a replica {misfit(bundles, empty.total)}{grown}"
    return f"needs {replicas} replicas of {amounts(bundles.total)}, the empty cluster holds {most}{grown}"


def no_room(
    waiting: Iterable[Footing], room: Room, *, before: Room, holders: Holders, budget: Budget
) -> Iterator[Refusal]:
    """The refusals of what may fit later, but not as the nodes are used now: `before` anything of the plan is done, and
    in `room` once its steps so far are."""
    words = _Words(room, before, holders, budget)
    for one in waiting:
        told = words.of(one)
        each = amounts(one.new.total)
        if one.candidate.restarts:
            reason = f"no room beside the old replicas: each new one needs {each}; {told}"
            yield Refusal(one, "needs-room", reason, _way_out(one, room))
        else:
            wanted = amounts(times(one.new.total, one.wanted_beside))
            verb = "needs" if one.wanted_beside == 1 else "need"
            reason = f"{plural(one.wanted_beside, 'more replica')} {verb} {wanted}; {told}"
            yield Refusal(one, "does-not-fit-now", reason, "free resources or add nodes, then plan again")


def _way_out(one: Footing, room: Room) -> str:
    """What would release a replacement for which there is no room beside the old replicas."""
    if one.candidate.kind is ActionKind.RETRY:
        return "free resources, then plan again: what failed is not tried at the cost of what serves"
    strategies = " or ".join(f"`{strategy}`" for strategy in would_do(one, room))
    if not strategies:
        return "free resources or add nodes, then plan again"
    strategy = "" if one.is_gateway else f"set `rollout.strategy` to {strategies}, "
    return f"free resources, {strategy}or plan with `--allow-downtime`"


class _Words:
    """What there is to say about the room, worked out once for all who need the same."""

    def __init__(self, room: Room, before: Room, holders: Holders, budget: Budget) -> None:
        self._room = room
        self._before = before
        self._free = room.free
        self._holders = holders
        self._budget = budget
        self._held: dict[str, str] = {}
        self._told: dict[tuple[object, ...], str] = {}

    def of(self, one: Footing) -> str:
        """How much is free, who holds the rest, and whether it is only Ray that finds no place."""
        key = (one.wanted_beside, one.new.kind)
        if key not in self._told:
            scarce = _scarce(one.new)
            self._told[key] = f"{self._free_now(one.new, scarce)}{self._held_by(scarce)}{self._doubt(one)}"
        return self._told[key]

    def _free_now(self, bundles: Bundles, scarce: str) -> str:
        """What is free of the resources that a replica needs: over all nodes, and on the node that has most of it."""
        free = self._free
        total = {resource: round(sum(node.get(resource, 0.0) for node in free), 4) for resource in bundles.total}
        if len(free) < 2:
            return f"free now: {amounts(total)}"
        largest = max(node.get(scarce, 0.0) for node in free)
        return f"free now: {amounts(total)} over {len(free)} nodes, at most {largest:.10g} {scarce} on one"

    def _held_by(self, scarce: str) -> str:
        """Who holds the resource that is most likely missing."""
        if scarce not in self._held:
            used, before = self._room.used.get(scarce, 0.0), self._before.used.get(scarce, 0.0)
            self._held[scarce] = _held_by(scarce, self._holders, before, used - before)
        return self._held[scarce]

    def _doubt(self, one: Footing) -> str:
        """Whether it is the room that is missing, or the way in which Ray looks for it."""
        answer = self._room.could_hold(one.new, one.wanted_beside, self._budget)
        if answer is Answer.YES:
            return (
                "; a placement exists, but none that Ray finds: it takes the largest bundles first, each to the node "
                "with the largest share free, and never goes back"
            )
        if answer is Answer.UNKNOWN:
            return (
                "; Ray's own choice finds no place, and whether another would is not known (the search was cut short)"
            )
        return ""


def _held_by(scarce: str, holders: Holders, used: float, taken: float) -> str:
    """`used` is in use before the plan, and so much more is `taken` by its own steps."""
    shares = {name: held.get(scarce, 0.0) for name, held in holders.items() if held.get(scarce)}
    named = sorted(shares, key=lambda name: (-shares[name], name))
    parts = [f"`{name}` {shares[name]:.10g}" for name in named[:MOST_HOLDERS]]
    rest = sum(shares[name] for name in named[MOST_HOLDERS:])
    if rest:
        parts.append(f"{plural(len(named) - MOST_HOLDERS, 'other application')} {rest:.10g}")
    elsewhere = used - sum(shares.values())
    if elsewhere > NEGLIGIBLE:
        parts.append(f"others on the cluster {elsewhere:.10g}")
    if taken > NEGLIGIBLE:
        parts.append(f"what else this plan starts {taken:.10g}")
    return f"; {scarce} held by {', '.join(parts)}" if parts else ""


def _scarce(bundles: Bundles) -> str:
    """The resource that people look at first: GPUs, or what comes first by name and is not a CPU."""
    return min(bundles.total, key=lambda name: (name != "GPU", name == "CPU", name.startswith("accelerator"), name))
