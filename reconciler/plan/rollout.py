"""How the replicas of one application are replaced, settled from the model's wish and what fits.

New replicas beside the old ones are tried first, as many as fit (Ray's `max_surge_percent`, rounded up to whole
replicas in `ray.serve._private.deployment_state`). Where not even one fits, the model's `rollout.strategy` says how
much service it may cost.
"""

from dataclasses import dataclass

from reconciler.plan.footing import Footing
from reconciler.plan.plan import Rollout
from reconciler.registry.spec import RolloutStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.placement import Room

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


@dataclass(frozen=True, slots=True)
class Squeeze:
    """A replacement that does with less room: the step, the room at its fullest, and when it is done."""

    step: Step
    busiest: Room
    after: Room


def beside(footing: Footing, room: Room) -> Step | None:
    """Place all that a candidate wants beside what runs, or change nothing and return None."""
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
    if partial is not None:
        return partial
    strategy = desired.rollout.strategy
    ways = {
        RolloutStrategy.SURGE: (_rolling, _recreate) if allow_downtime else (),
        RolloutStrategy.ROLLING: (_rolling, _recreate) if allow_downtime else (_rolling,),
        RolloutStrategy.RECREATE: (_recreate,),
    }
    return next((found for way in ways[strategy] if (found := way(footing, room)) is not None), None)


def _surge(footing: Footing) -> Rollout:
    why = "surge fits" if footing.after and footing.before else "no replica is running"
    return Rollout(RolloutStrategy.SURGE, FULL_SURGE, False, f"no downtime expected ({why})")


def _anew(footing: Footing, room: Room) -> Step | None:
    """A restart of what does not serve: nothing is lost by stopping it first."""
    trial = _after(footing, room)
    if trial is None:
        return None
    room.become(trial)
    return Step(footing, Rollout(RolloutStrategy.RECREATE, 0, True, "does not serve now; starts anew"))


def _leaving(footing: Footing) -> tuple[int, ...]:
    if footing.candidate.restarts or footing.candidate.desired is None:
        return footing.homes
    stay = min(footing.after, footing.before)
    return footing.homes[stay:]


def _partial_surge(footing: Footing, room: Room) -> Squeeze | None:
    extra = room.count(footing.new, footing.after + footing.growth - 1) - footing.growth
    after = _after(footing, room)
    if extra < 1 or after is None:
        return None
    busiest = room.copy()
    busiest.take_all(footing.new, extra + footing.growth)
    percent = FULL_SURGE * extra // footing.after
    sentence = f"no downtime expected (surge fits {extra} of {footing.after} replicas at a time)"
    return Squeeze(Step(footing, Rollout(RolloutStrategy.SURGE, percent, False, sentence)), busiest, after)


def _rolling(footing: Footing, room: Room) -> Squeeze | None:
    batch = max(int(BATCH_SHARE * footing.after), 1)
    trial = room.copy()
    release(trial, footing.old, footing.homes[:batch])
    after = _after(footing, room)
    if trial.take_all(footing.new, batch) is None or after is None:
        return None
    if footing.before == 1:
        sentence = "downtime expected (the only replica stops before its successor starts)"
    else:
        sentence = f"less capacity, {batch} of {footing.before} replicas at a time (no room for a surge)"
    rollout = Rollout(RolloutStrategy.ROLLING, 0, footing.before == 1, sentence)
    return Squeeze(Step(footing, rollout), after, after)


def _recreate(footing: Footing, room: Room) -> Squeeze | None:
    after = _after(footing, room)
    if after is None:
        return None
    sentence = "downtime expected (all replicas stop before the new ones start)"
    return Squeeze(Step(footing, Rollout(RolloutStrategy.RECREATE, 0, True, sentence)), after, after)


def _after(footing: Footing, room: Room) -> Room | None:
    """The room when all old replicas are gone and all new ones stand, or None when those do not fit."""
    trial = room.copy()
    release(trial, footing.old, footing.homes)
    return trial if trial.take_all(footing.new, footing.after) is not None else None


def release(room: Room, bundles: Bundles, homes: tuple[int, ...]) -> None:
    """Take running replicas away from these nodes."""
    for home in homes:
        room.release(bundles, home)
