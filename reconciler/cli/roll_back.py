"""Carrying out a rollback, or saving its plan: what `rollback` and `apply` of a saved rollback share."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.apply.resume import unsettled
from reconciler.cli.carry_out import Task, carry_out, output_beside
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.event_report import event_report
from reconciler.cli.failure import FAILED
from reconciler.cli.lease import LeaseOptions
from reconciler.cli.make_plan import LIFETIME
from reconciler.cli.past_target import past_target
from reconciler.cli.planned import planned
from reconciler.cli.read_plan_file import refuse_stale
from reconciler.cli.rollback_way import destination, paths_of, way_back
from reconciler.cli.save_plan_file import save_plan_file
from reconciler.cli.say_plan import say_plan
from reconciler.cli.session import Session, believable, choose_cluster
from reconciler.plan.file import PlanFile, dump
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.registry.readable import readable
from reconciler.registry.repository import open_repository
from reconciler.state.provenance import history
from reconciler.views.rollback_text import Way, rollback_text


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, besides what may happen and where to."""

    asks: bool = False
    """Whether a person has to approve it."""
    stops_at_plan: bool = False
    """Nothing is changed: the plan is shown, and saved in `out` where that is given."""
    out: Path | None = None
    saved: PlanFile | None = None
    """The plan that was approved; exactly this is carried out."""
    keep_failed: bool = False
    events: Path | None = None
    lease: LeaseOptions = field(default_factory=LeaseOptions)
    output: str = "text"


def roll_back(
    environment: Environment,
    root: Path,
    cluster_name: str | None,
    name: str | None,
    options: PlanOptions,
    request: Request,
) -> int:
    """Go to the commit of that name, or to the last good one; the exit code. Raises Failure and what git raises."""
    console = environment.console
    output = output_beside(request.events, request.output)
    today = readable(root)
    entry = choose_cluster(today, cluster_name)
    with (
        open_repository(root) as repository,
        environment.connect(entry, environment.variables, environment.local_directory) as connection,
        event_report(request.events, environment) as report,
    ):
        commit = destination(repository, history(believable(connection), entry.cluster.owner), name)
        session = Session(past_target(root, repository, commit, entry, console), connection)

        def task() -> Task:
            live, plan = planned(session, options, environment)
            plan = replace(plan, rollback_to=commit.hexsha)
            if request.saved is not None:
                refuse_stale(request.saved, plan)
            records = history(live, entry.cluster.owner)
            way = way_back(repository, records, commit, paths_of(repository, session, today, live, options.models))
            _say(way, plan, output, request.stops_at_plan, console)
            return Task(
                plan,
                unsettled(session.about(live, plan.options), live, plan),
                request.keep_failed,
                lease=request.lease,
                is_rollback=True,
                rolled_back_from=records[0].commit if records else None,
            )

        first = task()
        if request.stops_at_plan:
            _save(request.out, first.plan, console)
            return 0
        if request.asks and first.plan.waves and not console.ask("Roll back?"):
            console.note("nothing was changed")
            return FAILED
        nobody_saw_it = not request.asks and request.saved is None
        return carry_out(replace(first, again=task if nobody_saw_it else None), environment, session, output, report)


def _save(out: Path | None, plan: Plan, console: Console) -> None:
    if out is not None:
        save_plan_file(out, dump(plan, created=datetime.now(UTC), lifetime=LIFETIME))
        console.note(f"saved; `reconcile apply {out}` carries out exactly this rollback within {LIFETIME.days} day")


def _say(way: Way, plan: Plan, output: str, stops_at_plan: bool, console: Console) -> None:
    """Where it leads, and the plan. Where stdout is for a program, both are for people."""
    if output == "text":
        console.out(f"{rollback_text(way, console.out_style)}\n{say_plan(plan, output, console.out_style)}")
    elif stops_at_plan and output == "json":
        console.note(rollback_text(way, console.note_style))
        console.out(say_plan(plan, output))
    else:
        console.note(f"{rollback_text(way, console.note_style)}\n{say_plan(plan, 'text', console.note_style)}")
