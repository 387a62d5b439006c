"""Going on where a run before this one was stopped: what it sent is live, but not everything has settled yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.apply.clock import Clock
from reconciler.apply.document import Document
from reconciler.apply.events import Event, Finished
from reconciler.apply.exchange import read
from reconciler.apply.means import Means
from reconciler.apply.outcome import Outcome
from reconciler.apply.pursuit import Pursuit
from reconciler.apply.smoke import SmokeTest
from reconciler.apply.stop import StopSignal
from reconciler.apply.watch import resumed
from reconciler.plan.outlook import load_time, time_limit
from reconciler.plan.plan import Plan
from reconciler.serve.protocols import ServeReader
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.provenance import load_seconds


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An application that is as the registry says but does not run: its model, and the seconds it may take."""

    name: str
    model_id: str | None
    timeout_s: float


def unsettled(desired: DesiredState, live: LiveState, plan: Plan) -> tuple[Unsettled, ...]:
    """What the plan leaves alone although it does not run: on its way, failed or unhealthy."""
    planned = {action.name for action in (*plan.actions, *(hold.action for hold in plan.holds))}
    found = []
    for entry in desired.applications:
        there = live.application(entry.name)
        if entry.name not in planned and there is not None and there.status is not ApplicationStatus.RUNNING:
            model_id = entry.model.model_id if entry.model else None
            load = load_time(entry.name, entry.rollout, load_seconds(live, desired.owner))
            limit_s, _ = time_limit(entry.rollout, None, entry.min_replicas, load)
            found.append(Unsettled(entry.name, model_id, limit_s))
    return tuple(found)


def wait_for(
    applications: Sequence[Unsettled],
    *,
    reader: ServeReader,
    smoke: SmokeTest,
    emit: Callable[[Event], None],
    clock: Clock,
    stop: StopSignal,
) -> tuple[Outcome, ...]:
    """Wait until they run and answer; nothing is written, and what fails is left as it is.

    Raises `StateUnknown` when the cluster cannot be read.
    """
    if not applications:
        return ()
    outcomes: list[Outcome] = []

    def record(outcome: Outcome) -> None:
        outcomes.append(outcome)
        emit(Finished(outcome))

    expected = Document.of_live(read(reader))
    watches = [resumed(entry.name, entry.model_id, entry.timeout_s, clock.now()) for entry in applications]
    Pursuit(watches, expected, Means(reader, smoke, emit, clock, stop), undo=None, record=record).run()
    return tuple(outcomes)
