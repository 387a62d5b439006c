"""`reconcile apply`: bring the cluster to what the registry says."""

from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.apply.resume import unsettled
from reconciler.cli.carry_out import Task, carry_out
from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, Failure, WrongUsage
from reconciler.cli.options import allow_options, cluster_option, format_option, registry_option
from reconciler.cli.read_plan_file import read_plan_file
from reconciler.cli.session import Session, open_session
from reconciler.plan.file import PlanFile, why_stale
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.state.live import LiveState
from reconciler.views.plan_text import plan_text


@click.command(short_help="Bring the cluster to what the registry says")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path), metavar="[PLANFILE]")
@registry_option
@cluster_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--keep-failed", is_flag=True, help="Leave a model that fails as it is, to be looked at.")
@allow_options
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment,
    /,
    plan_file: Path | None,
    registry_root: Path,
    cluster_name: str | None,
    auto_approve: bool,
    keep_failed: bool,
    output: str,
    **allowed: bool,
) -> int:
    """Bring the cluster to what the registry says.

    Without PLANFILE the plan is shown and approved first: on a terminal by a question, elsewhere by --auto-approve.
    With one, exactly that plan is carried out; when anything moved since, nothing is done.
    """
    console = environment.console
    if plan_file is None and not auto_approve and not console.can_ask:
        raise WrongUsage(
            "nobody is there to approve the plan",
            "give a plan file (`reconcile plan --out FILE`, then `reconcile apply FILE`) or `--auto-approve`",
        )
    saved = None if plan_file is None else read_plan_file(plan_file)
    if saved is not None and any(allowed.values()):
        raise WrongUsage("a plan file holds what was allowed when it was made", "give the flag to `reconcile plan`")
    if saved is not None and cluster_name is None:
        cluster_name = saved.cluster
    with open_session(environment, registry_root, cluster_name) as session:
        live = session.live()
        plan = session.plan(live, PlanOptions(**allowed)) if saved is None else _planned(session, live, saved)
        # Where the outcomes are for a program, the plan is for people.
        if output == "json":
            console.note(plan_text(plan, console.note_style))
        else:
            console.out(plan_text(plan, console.out_style))
        asks = saved is None and not auto_approve and bool(plan.waves)
        if asks and not console.ask("Apply this plan?"):
            console.note("nothing was changed")
            return FAILED
        task = Task(plan, unsettled(session.target.desired, live, plan), keep_failed)
        return carry_out(task, environment, session, output)


def _planned(session: Session, live: LiveState, saved: PlanFile) -> Plan:
    """The saved plan, computed again. Raises Failure when it would not be the same now."""
    plan = session.plan(live, saved.options)
    reasons = why_stale(saved, plan, datetime.now(UTC))
    if reasons:
        raise Failure(
            "the plan may not be applied any more:" + "".join(f"\n  - {reason}" for reason in reasons),
            "nothing was changed; run `reconcile plan` again",
        )
    return plan
