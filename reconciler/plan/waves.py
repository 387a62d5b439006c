"""The order of the work: waves that each fit on the nodes beside everything that runs.

What gives room and what needs none goes first. Then what is replaced, because it gives back what it borrows; then what
stays. A wave takes all that fits at once, so a plan that fits is one wave, and replacements that do not fit together
follow one another. What fits in no way is held.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.plan.footing import Footing, largest_first
from reconciler.plan.rollout import Squeeze, Step, beside, lesser, release
from reconciler.plan.text import plural
from reconciler.state.capacity import Bundles, times
from reconciler.state.misfit import amounts, misfit
from reconciler.state.placement import Room


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that finds no room: which guard says so, why, and what would release it."""

    footing: Footing
    guard: str
    reason: str
    release: str


@dataclass
class Schedule:
    """The waves as they are filled: steps per wave, what found no room, and the most in use at any moment."""

    room: Room
    waves: list[tuple[Step, ...]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    peak: dict[str, float] = field(default_factory=dict)

    def observe(self, room: Room) -> None:
        """Count what is in use in `room` towards the peak."""
        for resource, amount in room.used.items():
            self.peak[resource] = max(self.peak.get(resource, 0.0), amount)

    def squeeze(self, found: Squeeze) -> None:
        """Add a wave of one replacement that does with less room."""
        self.observe(found.busiest)
        self.room = found.after
        self.close((found.step,))

    def close(self, steps: Iterable[Step]) -> None:
        """End a wave: old replicas leave."""
        done = tuple(sorted(steps, key=lambda step: (not step.footing.is_gateway, step.footing.name)))
        self.observe(self.room)
        for step in done:
            release(self.room, step.footing.old, step.leaving)
        self.waves.append(done)


def schedule(footings: Iterable[Footing], room: Room, *, allow_downtime: bool) -> Schedule:
    """Find a wave for every candidate, or a refusal."""
    result = Schedule(room.copy())
    result.observe(room)
    able, result.refusals = _able(footings, room)
    ready = [one for one in able if not one.wanted_beside]
    borrowing = largest_first(one for one in able if one.wanted_beside and _goes_early(one))
    staying = largest_first(one for one in able if one.wanted_beside and not _goes_early(one))
    while ready or borrowing or staying:
        steps, borrowing = _fill(result.room, borrowing)
        steps += [step for one in ready if (step := beside(one, result.room)) is not None]
        if not borrowing:
            more, staying = _fill(result.room, staying)
            steps += more
        ready = []
        if steps:
            result.close(steps)
        elif borrowing:
            _squeeze(result, borrowing.pop(0), allow_downtime)
        else:
            result.refusals += [_no_room(one, result.room) for one in staying]
            staying = []
    return result


def _goes_early(one: Footing) -> bool:
    # The gateway as well: the models of a wave are asked through it before the wave counts as done.
    return one.candidate.restarts or one.is_gateway


def _fill(room: Room, footings: list[Footing]) -> tuple[list[Step], list[Footing]]:
    steps: list[Step] = []
    left: list[Footing] = []
    too_large: set[tuple[object, ...]] = set()
    for one in footings:
        # A shape that did not fit will not fit later in the same wave, which only fills up.
        shape = one.shape
        step = beside(one, room) if shape not in too_large else None
        if step is None:
            too_large.add(shape)
            left.append(one)
        else:
            steps.append(step)
    return steps, left


def _squeeze(result: Schedule, one: Footing, allow_downtime: bool) -> None:
    found = lesser(one, result.room, allow_downtime=allow_downtime)
    if found is None:
        result.refusals.append(_no_room(one, result.room))
    else:
        result.squeeze(found)


def _able(footings: Iterable[Footing], room: Room) -> tuple[list[Footing], list[Refusal]]:
    """Sort out what would not fit even if nothing else ran on the cluster."""
    empty = room.emptied()
    answers: dict[tuple[object, ...], str | None] = {}
    able: list[Footing] = []
    refusals: list[Refusal] = []
    for one in footings:
        reason = None
        if one.candidate.desired is not None and (one.candidate.restarts or one.candidate.live is None or one.growth):
            key = (one.after, one.new_key)
            if key not in answers:
                answers[key] = _never(one.new, max(one.after, 1), empty)
            reason = answers[key]
        if reason is None:
            able.append(one)
        else:
            refusals.append(Refusal(one, "never-fits", reason, "ask for less, or add nodes that have it"))
    return able, refusals


def _never(bundles: Bundles, replicas: int, empty: Room) -> str | None:
    reason = misfit(bundles, empty.free)
    if reason is not None:
        return f"a replica {reason}"
    most = empty.count(bundles, replicas)
    if most == replicas:
        return None
    return f"needs {replicas} replicas of {amounts(bundles.total)}, the empty cluster holds {most}"


def _no_room(one: Footing, room: Room) -> Refusal:
    each = amounts(one.new.total)
    free = amounts(_free_of(one.new, room))
    if one.candidate.restarts:
        strategy = "" if one.is_gateway else "set `rollout.strategy: rolling` or `recreate`, "
        reason = f"no room beside the old replicas: each new one needs {each}; free now: {free}"
        way = f"free resources, {strategy}or plan with `--allow-downtime`"
        return Refusal(one, "needs-room", reason, way)
    wanted = amounts(times(one.new.total, one.wanted_beside))
    verb = "needs" if one.wanted_beside == 1 else "need"
    reason = f"{plural(one.wanted_beside, 'more replica')} {verb} {wanted}; free now, over all nodes: {free}"
    return Refusal(one, "does-not-fit-now", reason, "free resources or add nodes, then plan again")


def _free_of(bundles: Bundles, room: Room) -> Mapping[str, float]:
    """What is free of the resources that a replica needs, over all nodes."""
    return {resource: round(sum(node.get(resource, 0.0) for node in room.free), 4) for resource in bundles.total}
