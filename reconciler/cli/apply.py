"""`reconcile apply`: bring the cluster to what the registry says."""

from dataclasses import replace
from pathlib import Path

import click

from reconciler.apply.resume import unsettled
from reconciler.cli.carry_out import Task, carry_out, output_beside
from reconciler.cli.environment import Environment
from reconciler.cli.event_report import event_report
from reconciler.cli.failure import FAILED, WrongUsage
from reconciler.cli.lease import LeaseOptions, lease_options
from reconciler.cli.options import (
    allow_options,
    cluster_option,
    events_option,
    format_option,
    models_option,
    registry_option,
)
from reconciler.cli.planned import planned
from reconciler.cli.read_plan_file import read_plan_file, refuse_stale
from reconciler.cli.session import open_session
from reconciler.plan.options import PlanOptions
from reconciler.views.plan_text import plan_text


@click.command(short_help="Bring the cluster to what the registry says")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path), metavar="[PLANFILE]")
@registry_option
@cluster_option
@models_option("Change")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--keep-failed", is_flag=True, help="Leave a model that fails as it is, to be looked at.")
@events_option
@allow_options
@lease_options
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment,
    /,
    plan_file: Path | None,
    registry_root: Path,
    cluster_name: str | None,
    models: tuple[str, ...],
    auto_approve: bool,
    keep_failed: bool,
    events: Path | None,
    lease_wait: float,
    no_lease: bool,
    output: str,
    **allowed: bool,
) -> int:
    """Bring the cluster to what the registry says.

    Without PLANFILE the plan is shown and approved first: on a terminal by a question, elsewhere by --auto-approve.
    With one, exactly that plan is carried out; when anything moved since, nothing is done.

    One run at a time writes to a cluster. Another one is waited for; with --auto-approve the plan is made anew then.
    """
    console = environment.console
    if plan_file is None and not auto_approve and not console.can_ask:
        raise WrongUsage(
            "nobody is there to approve the plan",
            "give a plan file (`reconcile plan --out FILE`, then `reconcile apply FILE`) or `--auto-approve`",
        )
    said, output = output, output_beside(events, output)
    saved = None if plan_file is None else read_plan_file(plan_file)
    if saved is not None and any(allowed.values()):
        raise WrongUsage("a plan file holds what was allowed when it was made", "give the flag to `reconcile plan`")
    if saved is not None and models:
        raise WrongUsage("a plan file holds the models it was made for", "give `--model` to `reconcile plan`")
    if saved is not None and cluster_name is None:
        cluster_name = saved.cluster
    lease = LeaseOptions(lease_wait, no_lease)
    if saved is not None and saved.rollback_to is not None:
        from reconciler.cli.roll_back import Request, roll_back

        request = Request(saved=saved, keep_failed=keep_failed, events=events, lease=lease, output=said)
        return roll_back(environment, registry_root, cluster_name, saved.rollback_to, saved.options, request)
    with (
        open_session(environment, registry_root, cluster_name) as session,
        event_report(events, environment) as report,
    ):

        def task() -> Task:
            wish = PlanOptions(models=models, **allowed) if saved is None else saved.options
            live, plan = planned(session, wish, environment)
            if saved is not None:
                refuse_stale(saved, plan)
            # Where stdout is for a program, the plan is for people.
            if output == "text":
                console.out(plan_text(plan, console.out_style))
            else:
                console.note(plan_text(plan, console.note_style))
            return Task(plan, unsettled(session.about(live, plan.options), live, plan), keep_failed, lease=lease)

        first = task()
        asks = saved is None and not auto_approve and bool(first.plan.waves)
        if asks and not console.ask("Apply this plan?"):
            console.note("nothing was changed")
            return FAILED
        approved_unseen = saved is None and auto_approve
        again = task if approved_unseen else None
        return carry_out(replace(first, again=again), environment, session, output, report)
