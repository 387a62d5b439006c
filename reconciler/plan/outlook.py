"""How long a change takes, how long a model serves less or not at all meanwhile, and how long apply waits for it.

Everything rests on the load time of the model. It is measured by each apply and remembered on the cluster, or given in
the model's file. The rest follows from how replicas are replaced (`plan.rollout`) and how long one that stops may
finish its requests: it keeps its resources until then, and its successor may have to wait for them.
"""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from reconciler.plan.cost import NEVER, Basis, Cost, LimitBasis, LoadTime, Span
from reconciler.plan.footing import Footing
from reconciler.plan.plan import ActionKind, Rollout
from reconciler.registry.choices import RolloutStrategy
from reconciler.state.desired import DesiredApplication

if TYPE_CHECKING:
    # A plan from what is remembered does not pay for the forms.
    from reconciler.registry.spec import Rollout as RolloutWish

PATIENCE = 4.0
"""How many times its load time a new version may take: nodes differ, and a first start downloads the weights."""

DEFAULT_LIMIT_S = 1200.0
"""No limit that was not written is shorter: a download of the weights is in no load time measured after it."""

GATEWAY_DRAIN_S = 20.0
"""Ray's default (`DEFAULT_GRACEFUL_SHUTDOWN_TIMEOUT_S`), which the gateway leaves as it is."""


def load_time(application: str, wish: "RolloutWish", measured: Mapping[str, float]) -> LoadTime:
    """The load time of an application; `measured` holds what applies remembered, seconds by application."""
    if application in measured:
        return LoadTime(measured[application], Basis.MEASURED)
    if wish.load_time_s is not None:
        return LoadTime(wish.load_time_s, Basis.GIVEN)
    return LoadTime(None, Basis.UNKNOWN)


def outlook(footing: Footing, rollout: Rollout | None, load: LoadTime) -> Cost | None:
    """What an action costs in time; None for a delete, which ends the service of a model for good, and for a restart
    that has no rollout, because it is held."""
    desired = footing.candidate.desired
    if desired is None or (rollout is None and footing.candidate.restarts):
        return None
    kept = min(footing.before, footing.after)
    if rollout is None:
        # A create, or a change in place: what serves goes on.
        adds = footing.candidate.kind is ActionKind.CREATE or footing.growth > 0
        return Cost(load, _times(load, 1 if adds and footing.after else 0, 0.0), NEVER, NEVER, kept)
    drain_s = 0.0 if rollout.strategy is RolloutStrategy.SURGE else _drain_s(desired)
    duration = _times(load, _rounds(rollout, footing.after), drain_s)
    if not footing.serves:
        return Cost(load, duration, NEVER, NEVER, 0)
    if not rollout.downtime_expected:
        return Cost(load, duration, NEVER, NEVER if rollout.serving >= kept else duration, rollout.serving)
    # What is set to no replicas at all does not serve until somebody asks for it, so nobody knows how long.
    return Cost(load, duration, _times(load, 1, drain_s) if footing.after else None, NEVER, 0)


def time_limit(wish: "RolloutWish", rollout: Rollout | None, replicas: int, load: LoadTime) -> tuple[float, LimitBasis]:
    """Seconds until a new version with so many replicas must serve, and what says so."""
    if wish.timeout_s is not None:
        return wish.timeout_s, LimitBasis.WRITTEN
    rounds = max(_rounds(rollout, replicas), 1)
    from_load = PATIENCE * (load.seconds or 0.0)
    basis = LimitBasis.LOAD_TIME if from_load > DEFAULT_LIMIT_S else LimitBasis.DEFAULT
    return float(ceil(rounds * max(from_load, DEFAULT_LIMIT_S))), basis


def _times(load: LoadTime, rounds: int, drain_s: float) -> Span | None:
    if not rounds:
        return NEVER
    return None if load.seconds is None else Span(load.seconds * rounds, (load.seconds + drain_s) * rounds)


def _rounds(rollout: Rollout | None, replicas: int) -> int:
    """How many times replicas are started, one batch after the other."""
    if rollout is None:
        return 1
    return ceil(replicas / rollout.batch) if rollout.batch else 0


def _drain_s(desired: DesiredApplication) -> float:
    if desired.model is None:
        return GATEWAY_DRAIN_S
    return desired.drain_s
