"""How the nodes may look after each wave: Ray takes replicas in any order and picks among equally good nodes by chance.

A plan promises a place only where every way leads to one. As long as there is room enough that is counted; else every
way is tried, from all rooms that the waves before may have left. Where those are too many a few are tried.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.plan.footing import Footing
from reconciler.plan.plan import ActionKind
from reconciler.plan.rollout import Squeeze, Step, beside, lesser, release
from reconciler.state.capacity import Kind
from reconciler.state.enough import has_enough
from reconciler.state.outcomes import MOST_OUTCOMES, outcomes
from reconciler.state.placement import Room
from reconciler.state.search import Answer, Budget
from reconciler.state.starts import Start, count_kinds

STEPS = 4_000
"""Replicas that one plan places at most to try every way: half a second or so."""


class Chances:
    """Every room that the waves so far may have left.

    Ask `beside` or `squeezed` about a wave first, then say by `go_on` that it is done.
    """

    def __init__(self, room: Room, footings: Iterable[Footing]) -> None:
        self._rooms = [room.copy()]
        self._waves: list[Sequence[Step]] = []
        """Waves from those rooms on that certainly fit, so that nobody asked what they may leave."""
        self._before: Counter[Kind] = Counter()
        """The replicas that start in those waves."""
        self._marked = frozenset(home for one in footings for home in one.homes)
        self._steps = STEPS
        self._answer = Answer.UNKNOWN
        """What was said of the wave asked about last."""
        self._next: list[Room] | None = []
        """What that wave may leave: None where it was not asked, nothing where it is not known."""

    def beside(self, steps: Sequence[Step], room: Room) -> Answer:
        """Whether all steps find places together on every way: NO where one leaves something without, UNKNOWN where
        there are too many ways and those tried from `room`, the likeliest before the wave, all end well."""
        starts = [_start(step.footing) for step in steps]
        self._next = None
        if all(has_enough(one, count_kinds(starts), self._before) for one in self._rooms):
            self._answer = Answer.YES
            return self._answer
        self._answer, self._next = self._outcomes(starts)
        if self._answer is Answer.UNKNOWN and not _fits_in_some_orders(room, steps):
            self._answer = Answer.NO
        return self._answer

    def squeezed(self, found: Squeeze, *, allow_downtime: bool) -> Answer:
        """Whether a replacement goes with as little room on every way."""
        one = found.step.footing
        self._answer, self._next = self._outcomes([Start(one.new, one.after, one.old, one.homes)])
        others = (lesser(one, room, allow_downtime=allow_downtime) for room in self._rooms)
        if self._next and any(other is None or other.step.rollout != found.step.rollout for other in others):
            self._answer, self._next = Answer.NO, []
        return self._answer

    def go_on(self, steps: Sequence[Step], room: Room) -> None:
        """The wave is done, and `room` is what it most likely left."""
        if self._next is None:
            self._waves.append(steps)
            self._before += count_kinds(_start(step.footing) for step in steps)
        elif self._next:
            self._rooms = [_left(one, steps) for one in self._next]
        elif self._answer is Answer.NO and not self._waves:
            # Whoever finds no place is taken away again.
            lucky = [either for one in self._rooms for either in (one, one.with_other_luck())]
            done = [_left(after, steps) for one in lucky if (after := _with(one, steps)) is not None]
            unlike = {one.look(self._marked): one for one in (*self._rooms, *done, room.copy())}
            self._rooms = list(unlike.values())[-MOST_OUTCOMES:]
        else:
            self._rooms, self._waves, self._before = [room.copy()], [], Counter()
        self._answer, self._next = Answer.UNKNOWN, []

    def _outcomes(self, starts: Sequence[Start]) -> tuple[Answer, list[Room]]:
        """What may be left, first of the waves that nobody asked about, then of these replicas."""
        while self._waves:
            wave = self._waves[0]
            started = [_start(step.footing) for step in wave]
            answer, rooms = self._tried(started)
            if answer is not Answer.YES:
                return Answer.UNKNOWN, []
            self._rooms = [_left(room, wave) for room in rooms]
            self._before -= count_kinds(started)
            del self._waves[0]
        return self._tried(starts)

    def _tried(self, starts: Sequence[Start]) -> tuple[Answer, list[Room]]:
        """Every way from the rooms that are known; half of the steps that are left may go into it."""
        share = Budget(self._steps // 2)
        self._steps -= share.steps
        result = outcomes(self._rooms, starts, self._marked, share)
        self._steps += max(share.steps, 0)
        return result


def _start(footing: Footing) -> Start:
    """What `rollout.beside` places."""
    again = footing.candidate.kind is ActionKind.RETRY
    if footing.starts_anew or (again and not footing.serves):
        return Start(footing.new, footing.after, footing.old, footing.homes)
    return Start(footing.new, footing.after if again else footing.wanted_beside)


def _with(room: Room, steps: Iterable[Step]) -> Room | None:
    """The room when all steps of a wave have their places, or None when they find none one after the other."""
    trial = room.copy()
    return trial if all(beside(step.footing, trial) is not None for step in steps) else None


def _left(room: Room, steps: Iterable[Step]) -> Room:
    """The room when the old replicas of a wave are gone."""
    left = room.copy()
    for step in steps:
        release(left, step.footing.old, step.leaving)
    return left


def _fits_in_some_orders(room: Room, steps: Sequence[Step]) -> bool:
    other = room.with_other_luck()
    return all(_with(*trial) is not None for trial in ((other, steps), (room, steps[::-1]), (other, steps[::-1])))
