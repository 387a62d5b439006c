"""Carrying an approved plan out: packages, signals, progress, outcomes, exit code."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.apply.errors import ApplyStopped
from reconciler.apply.events import DocumentSent, Event
from reconciler.apply.exchange import Exchange, Fence, NotTaken, no_fence
from reconciler.apply.executor import apply_plan
from reconciler.apply.lease import GRACE_S
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.provenance import conclude, settle
from reconciler.apply.resume import Unsettled, wait_for
from reconciler.apply.stop import StopSignal
from reconciler.cli.environment import Environment
from reconciler.cli.event_report import NO_REPORT, EventReport
from reconciler.cli.event_stream import STDOUT
from reconciler.cli.failure import FAILED, INTERRUPTED, WrongUsage
from reconciler.cli.interrupt import interruptible
from reconciler.cli.lease import LeaseOptions, claim, leave_to_write
from reconciler.cli.progress import progress
from reconciler.cli.provenance import provenance
from reconciler.cli.session import Session
from reconciler.plan.plan import Plan
from reconciler.serve.packages import needed
from reconciler.state.live import LiveState
from reconciler.state.provenance import Names, Record
from reconciler.views.event_text import event_text
from reconciler.views.outcome_json import outcome_json
from reconciler.views.outcome_text import outcome_text
from reconciler.views.printable import listed, plural

EVENTS = "events"
"""The output of a run whose stdout is the event stream: what is for people goes to stderr."""


def output_beside(events: Path | None, output: str) -> str:
    """The format of a run that also writes these events. Raises WrongUsage where both want stdout."""
    if events != STDOUT:
        return output
    if output == "json":
        raise WrongUsage("`--events -` and `--format json` both want stdout", "give the events a file")
    return EVENTS


@dataclass(frozen=True, slots=True)
class Task:
    """What one apply has to do."""

    plan: Plan
    unsettled: tuple[Unsettled, ...]
    """What needs no change but does not run yet: an earlier run was stopped before it did."""
    keep_failed: bool
    is_rollback: bool = False
    rolled_back_from: str | None = None
    """The commit that a rollback goes back from, where it is known."""
    lease: LeaseOptions = field(default_factory=LeaseOptions)
    again: Callable[[], "Task"] | None = None
    """Makes it anew for a run that had to wait while another one wrote, where nobody approved this very plan."""

    @property
    def size(self) -> int:
        """How many applications will have an outcome."""
        return len(self.plan.actions) + len(self.unsettled)


def carry_out(
    task: Task, environment: Environment, session: Session, output: str, report: EventReport = NO_REPORT
) -> int:
    """Do it and say what became of it; the exit code. Raises ApplyStopped after the outcomes were said."""
    # From here on it may take an hour.
    gc.enable()
    outcomes: tuple[Outcome, ...] = ()
    stopped: ApplyStopped | None = None
    interrupted = False
    console = environment.console
    report.started(task.plan, [entry.name for entry in task.unsettled])
    if task.size:
        with interruptible(console) as stop:
            try:
                with _leave(task, environment, session, stop, report) as (task, fence):
                    outcomes, written_over = _show(task, environment, session, stop, fence, report)
                if written_over is not None:
                    # The lease is given back by now: to wait for Ray takes no leave.
                    settle(session.connection.client, written_over, environment.clock())
            except ApplyStopped as error:
                stopped, outcomes = error, error.outcomes or _skipped(task)
            interrupted = stop.requested
    if output == "json":
        console.out(outcome_json(outcomes, task.plan.cluster))
    elif outcomes and output == EVENTS:
        console.note("\n" + outcome_text(outcomes, console.note_style).rstrip("\n"))
    elif outcomes:
        console.out("\n" + outcome_text(outcomes, console.out_style))
    if stopped is not None:
        report.ended("stopped", outcomes, stopped.message)
        raise stopped
    holds = task.plan.holds
    if holds:
        console.note(f"{plural(len(holds), 'action')} held; the plan says what releases each")
    failed = bool(holds) or any(outcome.result.is_failure for outcome in outcomes)
    report.ended("interrupted" if interrupted else "failed" if failed else "done", outcomes)
    if interrupted:
        return INTERRUPTED
    return FAILED if failed else 0


def _skipped(task: Task) -> tuple[Outcome, ...]:
    """What became of a plan that was never begun."""
    message = "not reached, because this run may not write to the cluster"
    return tuple(Outcome(action.name, Result.SKIPPED, message) for action in task.plan.actions)


@contextmanager
def _leave(
    task: Task, environment: Environment, session: Session, stop: StopSignal, report: EventReport
) -> Iterator[tuple[Task, Fence]]:
    """The leave to write, if anything is to be written, and what is to be done by the time it was given."""
    if not task.plan.waves:
        yield task, no_fence
        return
    console, variables = environment.console, environment.variables
    wanted = claim(provenance(task.plan.source, variables), session.target.desired.owner, variables)

    def say(event: Event) -> None:
        report.emit(event)
        console.note(event_text(event, console.note_style))

    with leave_to_write(wanted, task.lease, environment, session, say, stop) as leave:
        if leave.waited_s >= GRACE_S and task.again is not None:
            task = task.again()
            report.started(task.plan, [entry.name for entry in task.unsettled])
        yield task, leave.fence


def _show(
    task: Task, environment: Environment, session: Session, stop: StopSignal, fence: Fence, report: EventReport
) -> tuple[tuple[Outcome, ...], LiveState | None]:
    """Do it, and show how it goes; the outcomes, and what was live before they were written down."""
    if task.unsettled:
        names = listed([entry.name for entry in task.unsettled])
        environment.console.note(f"as the registry says but not running, waited for as well: {names}")
    with progress(environment.console, task.size, environment.clock().now) as show:

        def emit(event: Event) -> None:
            report.emit(event)
            show(event)

        return _apply(task, environment, session, emit, stop, fence)


def _apply(
    task: Task,
    environment: Environment,
    session: Session,
    emit: Callable[[Event], None],
    stop: StopSignal,
    fence: Fence,
) -> tuple[tuple[Outcome, ...], LiveState | None]:
    client, clock = session.connection.client, environment.clock()
    smoke = environment.smoke(session.connection.gateway_address, session.connection.gateway_token())
    done: tuple[Outcome, ...] = ()
    record = replace(
        provenance(task.plan.source, environment.variables),
        is_rollback=task.is_rollback,
        rolled_back_from=task.rolled_back_from,
        models=Names.of(task.plan.options.models),
    )
    sent: list[DocumentSent] = []

    def tell(event: Event) -> None:
        if isinstance(event, DocumentSent):
            sent.append(event)
        emit(event)

    if task.plan.waves:
        target = session.target
        for package in needed(target.packages, target.desired) if not stop.requested else ():
            client.upload_package(package.name, package.content)
        done = apply_plan(
            task.plan,
            reader=client,
            writer=client,
            smoke=smoke,
            provenance=record,
            emit=tell,
            clock=clock,
            stop=stop,
            keep_failed=task.keep_failed,
            fence=fence,
        )
    if stop.requested:
        return done, None
    try:
        done += wait_for(task.unsettled, reader=client, smoke=smoke, emit=emit, clock=clock, stop=stop)
    except ApplyStopped as error:
        error.outcomes = done + error.outcomes
        raise
    if sent and not stop.requested:
        return done, _write_down(record, done, task, environment, session, fence)
    return done, None


def _write_down(
    record: Record,
    outcomes: Sequence[Outcome],
    task: Task,
    environment: Environment,
    session: Session,
    fence: Fence,
) -> LiveState | None:
    """Have the gateway remember what became of this run; what was live before that. What was applied is applied, so
    trouble here is only said."""
    client, clock, console = session.connection.client, environment.clock(), environment.console
    try:
        before = conclude(
            record,
            outcomes,
            held=len(task.plan.holds),
            owner=session.target.desired.owner,
            exchange=Exchange(client, client, clock, fence),
        )
    except (ApplyStopped, NotTaken) as error:
        console.note(f"warning: how this apply ended could not be written down on the cluster: {error.message}")
        return None
    if before is None:
        console.note("the cluster has no gateway of this registry, so this apply is not remembered there")
    return before
