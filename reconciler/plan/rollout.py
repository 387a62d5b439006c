"""How the replicas of one application are replaced, settled from the model's wish and what fits.

New replicas beside the old ones are tried first, as many as fit (Ray's `max_surge_percent`, rounded up to whole
replicas in `ray.serve._private.deployment_state`). Where not even one fits, the model's `rollout.strategy` says how
much service it may cost. How many stop at a time is Ray's `rolling_update_percentage`, a share of the replicas that it
aims at, rounded down but one at least; replicas that are added count as being replaced until they run
(`_check_and_stop_outdated_version_replicas`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.plan.footing import Footing
from reconciler.plan.plan import ActionKind, Rollout
from reconciler.registry.choices import RolloutStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.placement import Room

if TYPE_CHECKING:
    # A plan from what is remembered does not pay for the forms.
    from reconciler.registry.spec import Rollout as RolloutWish

BATCH_SHARE = 0.2
"""The share of replicas that Ray replaces at a time without surge (`DEFAULT_ROLLING_UPDATE_PERCENTAGE`)."""

FULL_SURGE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One candidate with a place in a wave: how its replicas are replaced, and which leave when the wave is done."""

    footing: Footing
    rollout: Rollout | None
    leaving: tuple[int, ...] = ()
    """Nodes from which an old replica goes away at the end of the wave."""
    awaits: Mapping[str, int] = field(default_factory=dict)
    """Nodes that the cluster's autoscaler has to add first, by type."""


@dataclass(frozen=True, slots=True)
class Squeeze:
    """A replacement that does with less room: the step, the room at its fullest, and when it is done."""

    step: Step
    busiest: Room
    after: Room


def beside(footing: Footing, room: Room) -> Step | None:
    """Place all that a candidate wants beside what runs, or change nothing and return None."""
    if footing.candidate.kind is ActionKind.RETRY:
        return _again(footing, room)
    if footing.starts_anew:
        return _anew(footing, room)
    if room.take_all(footing.new, footing.wanted_beside) is None:
        return None
    return Step(footing, _surge(footing) if footing.candidate.restarts else None, _leaving(footing))


def lesser(footing: Footing, room: Room, *, allow_downtime: bool) -> Squeeze | None:
    """Replace the replicas with less room than one successor for each; None where the model's strategy does not allow
    it or not even that fits. Changes nothing in `room`."""
    desired = footing.candidate.desired
    if desired is None or not footing.candidate.restarts:
        return None
    partial = _partial_surge(footing, room)
    if partial is not None or footing.candidate.kind is ActionKind.RETRY:
        # What failed once is never tried at the cost of what serves.
        return partial
    strategy = desired.rollout.strategy
    if allow_downtime and strategy is not RolloutStrategy.RECREATE:
        return _rolling(footing, room) or _recreate(footing, room)
    if strategy is RolloutStrategy.ROLLING:
        found = _rolling(footing, room)
        return found if found and (_may_stop_all(desired.rollout) or not _stops_all(found)) else None
    return _recreate(footing, room) if strategy is RolloutStrategy.RECREATE else None


def would_do(footing: Footing, room: Room) -> tuple[RolloutStrategy, ...]:
    """The strategies beside surge, mildest first, under which a replacement would go on in this room."""
    found = _rolling(footing, room)
    rolling = (RolloutStrategy.ROLLING,) if found and not _stops_all(found) else ()
    return rolling + ((RolloutStrategy.RECREATE,) if _recreate(footing, room) else ())


def largest_batch(wish: "RolloutWish", replicas: int) -> int:
    """How many of that many replicas the model lets go at a time: one at least, never all while there are several."""
    most = wish.max_unavailable
    if isinstance(most, int):
        batch = most
    else:
        share = BATCH_SHARE if most is None else int(most.removesuffix("%")) / 100
        batch = int(share * replicas)
    return max(min(batch, replicas - 1), 1)


def batch_share(batch: int, replicas: int) -> float:
    """A share of which Ray makes that batch; a little more than the quotient, because Ray rounds its product down."""
    return min(round(batch / replicas + 2e-6, 6), 1.0)


def _may_stop_all(wish: "RolloutWish") -> bool:
    """Whether the model allows its only replica to stop before its successor starts."""
    return isinstance(wish.max_unavailable, int) or wish.max_unavailable == "100%"


def _stops_all(found: Squeeze) -> bool:
    return found.step.rollout is not None and found.step.rollout.downtime_expected


def _surge(footing: Footing) -> Rollout:
    if footing.before and not footing.after:
        sentence = "downtime expected (`initial_replicas` is 0, so nothing runs until the next request)"
        return Rollout(RolloutStrategy.SURGE, FULL_SURGE, footing.serves, sentence)
    why = "surge fits" if footing.before else "no replica is running"
    sentence = f"no downtime expected ({why})"
    kept = min(footing.before, footing.after)
    return Rollout(RolloutStrategy.SURGE, FULL_SURGE, False, sentence, batch=footing.after, serving=kept)


def _anew(footing: Footing, room: Room) -> Step | None:
    """A restart of what does not serve: nothing is lost by stopping it first."""
    trial = _after(footing, room)
    if trial is None:
        return None
    room.become(trial)
    return Step(footing, _all_at_once(footing, "does not serve now; starts anew"))


def _again(footing: Footing, room: Room) -> Step | None:
    """Another try of a config that failed: beside whatever serves, and in place of what does not."""
    if footing.serves:
        if room.take_all(footing.new, footing.after) is None:
            return None
        sentence = "replicas of an earlier version serve until the new ones do"
    else:
        trial = _after(footing, room)
        if trial is None:
            return None
        room.become(trial)
        sentence = "nothing of it serves now"
    kept = min(footing.before, footing.after) if footing.serves else 0
    rollout = Rollout(RolloutStrategy.SURGE, FULL_SURGE, False, sentence, batch=footing.after, serving=kept)
    return Step(footing, rollout, footing.homes if footing.serves else ())


def _leaving(footing: Footing) -> tuple[int, ...]:
    if footing.candidate.restarts or footing.candidate.desired is None:
        return footing.homes
    stay = min(footing.after, footing.before)
    return footing.homes[stay:]


def _partial_surge(footing: Footing, room: Room) -> Squeeze | None:
    extra = room.count(footing.new, footing.after + footing.growth - 1) - footing.growth
    after = _after(footing, room)
    percent = FULL_SURGE * extra // footing.after if footing.after else 0
    # Ray knows whole percents only: of more than a hundred replicas one is less than that, and no surge at all.
    if percent < 1 or after is None:
        return None
    busiest = room.copy()
    busiest.take_all(footing.new, extra + footing.growth)
    sentence = f"no downtime expected (surge fits {extra} of {footing.after} replicas at a time)"
    kept = min(footing.before, footing.after)
    rollout = Rollout(
        RolloutStrategy.SURGE, percent, False, sentence, batch=(percent * footing.after + 99) // 100, serving=kept
    )
    return Squeeze(Step(footing, rollout), busiest, after)


def _rolling(footing: Footing, room: Room) -> Squeeze | None:
    after = _after(footing, room)
    if footing.candidate.desired is None or not footing.after or after is None:
        return None
    wish = footing.candidate.desired.rollout
    batch = largest_batch(wish, footing.after)
    kept, surplus = min(footing.before, footing.after), max(footing.before - footing.after, 0)
    # Ray takes away what is too many before it replaces, and what it adds before it stops anything for a successor.
    stopped = min(max(batch - footing.growth, 0), kept)
    busiest = room.copy()
    release(busiest, footing.old, footing.homes[: surplus + stopped])
    if busiest.take_all(footing.new, footing.growth + stopped) is None:
        return None
    if kept == 1 and stopped:
        sentence = "downtime expected (the only replica stops before its successor starts)"
    elif stopped:
        sentence = f"less capacity, {stopped} of {kept} replicas at a time (no room for a surge)"
    else:
        sentence = "no downtime expected (the added replicas start first)"
    rollout = Rollout(
        RolloutStrategy.ROLLING,
        0,
        stopped == kept,
        sentence,
        batch=batch,
        batch_share=None if wish.max_unavailable is None else batch_share(batch, footing.after),
        serving=kept - stopped,
    )
    return Squeeze(Step(footing, rollout), busiest, after)


def _recreate(footing: Footing, room: Room) -> Squeeze | None:
    after = _after(footing, room)
    if after is None:
        return None
    sentence = "downtime expected (all replicas stop before the new ones start)"
    return Squeeze(Step(footing, _all_at_once(footing, sentence)), after, after)


def _all_at_once(footing: Footing, sentence: str) -> Rollout:
    return Rollout(RolloutStrategy.RECREATE, 0, True, sentence, batch=footing.after, batch_share=1.0)


def _after(footing: Footing, room: Room) -> Room | None:
    """The room when all old replicas are gone and all new ones stand, or None when those do not fit."""
    trial = room.copy()
    release(trial, footing.old, footing.homes)
    return trial if trial.take_all(footing.new, footing.after) is not None else None


def release(room: Room, bundles: Bundles, homes: tuple[int, ...]) -> None:
    """Take running replicas away from these nodes."""
    for home in homes:
        room.release(bundles, home)
