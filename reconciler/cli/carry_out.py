"""Carrying an approved plan out: packages, signals, progress, outcomes, exit code."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.apply.errors import ApplyStopped
from reconciler.apply.events import Event
from reconciler.apply.executor import apply_plan
from reconciler.apply.outcome import Outcome
from reconciler.apply.resume import Unsettled, wait_for
from reconciler.apply.stop import StopSignal
from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, INTERRUPTED
from reconciler.cli.interrupt import interruptible
from reconciler.cli.progress import progress
from reconciler.cli.provenance import provenance
from reconciler.cli.session import Session
from reconciler.plan.plan import Plan
from reconciler.views.outcome_json import outcome_json
from reconciler.views.outcome_text import outcome_text
from reconciler.views.printable import listed, plural


@dataclass(frozen=True, slots=True)
class Task:
    """What one apply has to do."""

    plan: Plan
    unsettled: tuple[Unsettled, ...]
    """What needs no change but does not run yet: an earlier run was stopped before it did."""
    keep_failed: bool

    @property
    def size(self) -> int:
        """How many applications will have an outcome."""
        return len(self.plan.actions) + len(self.unsettled)


def carry_out(task: Task, environment: Environment, session: Session, output: str) -> int:
    """Do it and say what became of it; the exit code. Raises ApplyStopped after the outcomes were said."""
    outcomes: tuple[Outcome, ...] = ()
    stopped: ApplyStopped | None = None
    interrupted = False
    console = environment.console
    if task.size:
        if task.unsettled:
            names = listed([entry.name for entry in task.unsettled])
            console.note(f"as the registry says but not running, waited for as well: {names}")
        clock = environment.clock()
        with interruptible(console) as stop, progress(console, task.size, clock.now) as emit:
            try:
                outcomes = _apply(task, environment, session, emit, stop)
            except ApplyStopped as error:
                stopped, outcomes = error, error.outcomes
            interrupted = stop.requested
    if output == "json":
        console.out(outcome_json(outcomes, task.plan.cluster))
    elif outcomes:
        console.out("\n" + outcome_text(outcomes, console.out_style))
    if stopped is not None:
        raise stopped
    holds = task.plan.holds
    if holds:
        console.note(f"{plural(len(holds), 'action')} held; the plan says what releases each")
    if interrupted:
        return INTERRUPTED
    return FAILED if holds or any(outcome.result.is_failure for outcome in outcomes) else 0


def _apply(
    task: Task, environment: Environment, session: Session, emit: Callable[[Event], None], stop: StopSignal
) -> tuple[Outcome, ...]:
    client, clock = session.connection.client, environment.clock()
    smoke = environment.smoke(session.connection.gateway_address)
    done: tuple[Outcome, ...] = ()
    if task.plan.waves:
        for package in session.target.packages:
            client.upload_package(package.name, package.content)
        done = apply_plan(
            task.plan,
            reader=client,
            writer=client,
            smoke=smoke,
            provenance=provenance(task.plan.source, environment.variables),
            emit=emit,
            clock=clock,
            stop=stop,
            keep_failed=task.keep_failed,
        )
    if stop.requested:
        return done
    try:
        return done + wait_for(task.unsettled, reader=client, smoke=smoke, emit=emit, clock=clock, stop=stop)
    except ApplyStopped as error:
        error.outcomes = done + error.outcomes
        raise
