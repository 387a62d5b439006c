"""Making a plan from what is really in use.

A cluster says what is in use on its nodes as it last looked, and it looks every five seconds or so. A replica that has
stopped since still seems to be there: where a plan is short of room, it is made again once the cluster has looked anew.
"""

from reconciler.apply.clock import Clock
from reconciler.cli.environment import Environment
from reconciler.cli.session import Session
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.state.live import LiveState

PATIENCE_S = 15.0
"""Three times as long as a monitor that is not busy sleeps between two looks."""
_LOOK_S = 0.5


def planned(session: Session, options: PlanOptions, environment: Environment) -> tuple[LiveState, Plan]:
    """What the cluster reports, and what would be done to it. Raises `Failure` when it must not be believed."""
    live = session.live()
    plan = session.plan(live, options)
    if not plan.short_of_room or live.use_told_s is None:
        return live, plan
    later = _looked_anew(session, live, environment.clock())
    if later is None:
        environment.console.note(
            f"room is short, and the cluster has not said anew for {PATIENCE_S:.0f} s what is in use: what has stopped "
            "lately may still be counted"
        )
        return live, plan
    return later, session.plan(later, options)


def _looked_anew(session: Session, before: LiveState, clock: Clock) -> LiveState | None:
    """What the cluster reports once it has looked at its nodes after `before`; None when it does not in time."""
    until = clock.now() + PATIENCE_S
    while clock.now() < until:
        clock.sleep(_LOOK_S)
        live = session.live()
        if live.use_told_s != before.use_told_s:
            return live
    return None
