"""`reconcile rollback`: bring the cluster to what an earlier commit says."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.lease import LeaseOptions, lease_options
from reconciler.cli.options import (
    allow_options,
    cluster_option,
    events_option,
    format_option,
    models_option,
    registry_option,
)
from reconciler.cli.roll_back import Request, roll_back
from reconciler.cli.save_plan_file import check_target
from reconciler.plan.options import PlanOptions


@click.command(short_help="Bring the cluster to what an earlier commit says")
@registry_option
@cluster_option
@click.option(
    "--to",
    "name",
    metavar="COMMIT",
    help="Commit, tag or branch; else that of the last apply before the present one that ended well.",
)
@models_option("Roll back")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Change nothing, and save the plan for `reconcile apply FILE`.",
)
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
    registry_root: Path,
    cluster_name: str | None,
    name: str | None,
    models: tuple[str, ...],
    dry_run: bool,
    out: Path | None,
    auto_approve: bool,
    keep_failed: bool,
    events: Path | None,
    lease_wait: float,
    no_lease: bool,
    output: str,
    **allowed: bool,
) -> int:
    """Bring the cluster to what an earlier commit says.

    The registry is read as it was in that commit, from git; no file of the work tree is touched. It is planned, shown,
    approved and carried out like any other apply. Where the cluster is and how it is reached is what its file says now.

    Git is not changed: the next apply of the registry brings back what was rolled back, and the command that makes
    the rollback last is shown.
    """
    stops_at_plan = dry_run or out is not None
    if out is not None:
        check_target(out)
    if not stops_at_plan and not auto_approve and not environment.console.can_ask:
        raise WrongUsage(
            "nobody is there to approve the rollback",
            "give `--auto-approve`, `--dry-run` to see it, or `--out FILE` for `reconcile apply FILE`",
        )
    request = Request(
        asks=not auto_approve,
        stops_at_plan=stops_at_plan,
        out=out,
        keep_failed=keep_failed,
        events=events,
        lease=LeaseOptions(lease_wait, no_lease),
        output=output,
    )
    return roll_back(environment, registry_root, cluster_name, name, PlanOptions(models=models, **allowed), request)
