"""`reconcile plan`: what would be done, without doing it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import CHANGES
from reconciler.cli.options import (
    allow_options,
    cluster_option,
    detailed_exitcode_option,
    format_option,
    registry_option,
)
from reconciler.cli.say_plan import say_plan
from reconciler.cli.session import open_session
from reconciler.plan.file import dump
from reconciler.plan.options import PlanOptions

LIFETIME = timedelta(hours=24)
"""How long a plan file may be applied."""


@click.command(short_help="Compare the registry with the cluster and say what would be done")
@registry_option
@cluster_option
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for `reconcile apply FILE`."
)
@allow_options
@format_option("text", "json", "markdown")
@detailed_exitcode_option("are changes")
@click.pass_obj
def command(
    environment: Environment,
    /,
    registry_root: Path,
    cluster_name: str | None,
    out: Path | None,
    output: str,
    detailed_exitcode: bool,
    **allowed: bool,
) -> int:
    """Compare the registry with the cluster and say what would be done."""
    with open_session(environment, registry_root, cluster_name) as session:
        plan = session.plan(session.live(), PlanOptions(**allowed))
    if out is not None:
        out.write_text(dump(plan, created=datetime.now(UTC), lifetime=LIFETIME), encoding="utf-8")
    console = environment.console
    console.out(say_plan(plan, output, console.out_style))
    if out is not None:
        console.note(f"saved; `reconcile apply {out}` carries out exactly this within {LIFETIME.days} day")
    return CHANGES if detailed_exitcode and plan.has_changes else 0
