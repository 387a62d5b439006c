"""The order of the work: waves that each fit on the nodes beside everything that runs.

What gives room and what needs none goes first. Then what is replaced, because it gives back what it borrows; then what
stays. A wave takes all that fits at once and may start at a time, so a small plan that fits is one wave, and
replacements that do not fit together follow one another. What fits only with nodes that the cluster's autoscaler has
yet to add comes last. What fits in no way is held. Of those that wait, the ones with the fewest nodes to choose from
go first, then the largest.

Ray places the replicas of a wave in an order of its own, and chooses among equally good nodes by chance. So a wave has
to fit in every order and with any luck (`plan.chances`), or it becomes two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from reconciler.plan.chances import Chances
from reconciler.plan.footing import Footing, hardest_first
from reconciler.plan.queue import Queue
from reconciler.plan.refusal import Holders, Refusal, never, no_room
from reconciler.plan.rollout import Squeeze, Step, beside, lesser, release
from reconciler.registry.choices import RolloutStrategy
from reconciler.state.elastic import ElasticRoom, Spare, with_all
from reconciler.state.placement import Room
from reconciler.state.search import Answer, Budget


@dataclass
class Schedule:
    """The waves as they are filled: steps per wave, what found no room, and the most in use at any moment."""

    room: Room
    chances: Chances
    waves: list[tuple[Step, ...]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    peak: dict[str, float] = field(default_factory=dict)
    by_luck: list[str] = field(default_factory=list)
    """Names of those that find a place only if Ray chooses well among equally good nodes."""
    untried: list[str] = field(default_factory=list)
    """Names of those for which too many orders are possible to try them all."""
    spare: Spare = field(default_factory=dict)
    """Nodes that the cluster's autoscaler may still add."""
    added: dict[str, int] = field(default_factory=dict)
    """Nodes that it adds for this plan, by type."""
    tight: bool = False
    """Whether anything would go another way with more room."""

    def observe(self, room: Room) -> None:
        """Count what is in use in `room` towards the peak."""
        for resource, amount in room.used.items():
            self.peak[resource] = max(self.peak.get(resource, 0.0), amount)

    def promise(self, answer: Answer, steps: Iterable[Step]) -> None:
        """Note who may be left without a place."""
        if answer is not Answer.YES:
            names = self.by_luck if answer is Answer.NO else self.untried
            names += (step.footing.name for step in steps)

    def squeeze(self, found: Squeeze, *, allow_downtime: bool) -> None:
        """Add a wave of one replacement that does with less room."""
        self.promise(self.chances.squeezed(found, allow_downtime=allow_downtime), [found.step])
        self.observe(found.busiest)
        self.room = found.after
        self.close((found.step,))

    def grow(self, one: Footing) -> Step | None:
        """Place a candidate with nodes that the autoscaler adds, or change nothing and return None."""
        trial = ElasticRoom(self.room, self.spare)
        step = beside(one, trial) if self.spare else None
        if step is None:
            return None
        self.room.become(trial)
        self.spare = trial.spare
        for name, count in trial.added.items():
            self.added[name] = self.added.get(name, 0) + count
        return replace(step, awaits=trial.added)

    def close(self, steps: Iterable[Step]) -> None:
        """End a wave: old replicas leave."""
        done = tuple(sorted(steps, key=lambda step: (not step.footing.is_gateway, step.footing.name)))
        self.observe(self.room)
        for step in done:
            release(self.room, step.footing.old, step.leaving)
        self.chances.go_on(done, self.room)
        self.waves.append(done)


@dataclass(frozen=True, slots=True)
class _Pick:
    """A step for the wave that is being filled, and the queue that it came from."""

    step: Step
    queue: Queue


def schedule(
    footings: Iterable[Footing],
    room: Room,
    *,
    allow_downtime: bool,
    max_starts: int,
    holders: Holders,
    spare: Spare,
) -> Schedule:
    """Find a wave for every candidate, or a refusal.

    `max_starts` replicas start at a time, unless one model alone has more. `holders` is what each live application
    holds, `spare` the nodes that the cluster's autoscaler may add.
    """
    budget = Budget()
    refuse = partial(no_room, before=room, holders=holders, budget=budget)
    able, refusals = _able(footings, room, spare, budget)
    result = Schedule(room.copy(), Chances(room, able), refusals=refusals, spare=spare)
    result.observe(room)
    ready = [one for one in able if not one.wanted_beside]
    waiting = hardest_first((one for one in able if one.wanted_beside), room)
    borrowing = Queue(one for one in waiting if _goes_early(one))
    staying = Queue(one for one in waiting if not _goes_early(one))
    stuck: list[Footing] = []
    while ready or borrowing or staying:
        before = result.room.copy()
        picked = _fill(result, borrowing, max_starts, [])
        if not borrowing:
            picked = _fill(result, staying, max_starts, picked)
        steps = _in_any_order(result, before, picked)
        steps += [step for one in ready if (step := beside(one, result.room)) is not None]
        ready = []
        if steps:
            result.close(steps)
        elif borrowing:
            one = borrowing.pop_first()
            found = lesser(one, result.room, allow_downtime=allow_downtime)
            grown = None if found and _is_surge(found) else result.grow(one)
            if grown is not None:
                result.close([grown])
            elif found is not None:
                result.squeeze(found, allow_downtime=allow_downtime)
            else:
                stuck.append(one)
        else:
            grown_steps, left = _grow(result, staying, max_starts)
            if grown_steps:
                result.close(grown_steps)
            result.refusals += refuse(left, result.room)
        if steps or not result.room.looks_like(before):
            borrowing.unblock()
            staying.unblock()
        if stuck and (not borrowing or result.room.has_more_than(before)):
            if result.room.has_more_than(before):
                # Somebody has left since: what found no way may have one now.
                for one in stuck:
                    borrowing.add(one)
            else:
                result.refusals += refuse(stuck, result.room)
            stuck = []
    return result


def _goes_early(one: Footing) -> bool:
    # The gateway as well: the models of a wave are asked through it before the wave counts as done.
    return one.candidate.restarts or one.is_gateway


def _fill(result: Schedule, queue: Queue, max_starts: int, picked: list[_Pick]) -> list[_Pick]:
    """What was picked before, and all from the queue that fits beside it and may start with it."""
    room, picked = result.room, list(picked)
    started = sum(pick.step.footing.wanted_beside for pick in picked)
    for one in queue.offers():
        if picked and started + one.wanted_beside > max_starts:
            break
        step = beside(one, room)
        result.tight = result.tight or step is None
        lucky = None if step or picked else _with_luck(one, room)
        found = step or lucky
        if found:
            queue.remove(one)
            picked.append(_Pick(found, queue))
            started += one.wanted_beside
        else:
            queue.block(one)
        if lucky:
            break
    return picked


def _grow(result: Schedule, staying: Queue, max_starts: int) -> tuple[list[Step], list[Footing]]:
    """All that fits with nodes yet to be added and may start together, and what does not fit even so.

    The rest of the queue stays for the next wave.
    """
    steps: list[Step] = []
    refused: list[Footing] = []
    started = 0
    while staying:
        one = staying.pop_first()
        if steps and started + one.wanted_beside > max_starts:
            staying.add(one)
            break
        step = result.grow(one)
        if step is None:
            refused.append(one)
        else:
            steps.append(step)
            started += one.wanted_beside
    return steps, refused


def _is_surge(found: Squeeze) -> bool:
    return found.step.rollout is not None and found.step.rollout.strategy is RolloutStrategy.SURGE


def _with_luck(one: Footing, room: Room) -> Step | None:
    """A step that fits only if Ray's choice among equally good nodes falls the other way."""
    trial = room.with_other_luck()
    step = beside(one, trial)
    if step is not None:
        room.become(trial)
    return step


def _in_any_order(result: Schedule, before: Room, picked: list[_Pick]) -> list[Step]:
    """As many of the steps as find places on whatever way Ray goes; the others return to their queues."""
    if not picked:
        # What the wave holds instead asks for itself, or needs nodes that are yet to be added.
        return []
    kept = [pick.step for pick in picked]
    while (answer := result.chances.beside(kept, before)) is Answer.NO and len(kept) > 1:
        kept = kept[: len(kept) // 2]
    result.promise(answer, kept)
    if len(kept) == len(picked):
        return kept
    result.tight = True
    for pick in picked[len(kept) :]:
        pick.queue.add(pick.step.footing)
    result.room.become(before)
    return [step for one in kept if (step := beside(one.footing, result.room)) is not None]


def _able(footings: Iterable[Footing], room: Room, spare: Spare, budget: Budget) -> tuple[list[Footing], list[Refusal]]:
    """Sort out what would not fit even if nothing else ran on the cluster, with all the nodes it may ever have."""
    empty = with_all(room.emptied(), spare)
    answers: dict[tuple[object, ...], str | None] = {}
    able: list[Footing] = []
    refusals: list[Refusal] = []
    for one in footings:
        reason = None
        if one.candidate.desired is not None and (
            one.candidate.starts_replicas or one.candidate.live is None or one.growth
        ):
            key = (one.after, one.new.kind)
            if key not in answers:
                answers[key] = never(one.new, max(one.after, 1), empty, spare, budget)
            reason = answers[key]
        if reason is None:
            able.append(one)
        else:
            refusals.append(Refusal(one, "never-fits", reason, "ask for less, or add nodes that have it"))
    return able, refusals
