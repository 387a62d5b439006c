"""Making a plan, showing it, and saving it where that is asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.cli.environment import Environment
from reconciler.cli.failure import CHANGES
from reconciler.cli.from_snapshot import plan_from_snapshot
from reconciler.cli.planned import planned
from reconciler.cli.save_plan_file import check_target, save_plan_file
from reconciler.cli.say_plan import say_plan
from reconciler.cli.session import open_session
from reconciler.plan.file import dump
from reconciler.plan.options import PlanOptions

LIFETIME = timedelta(hours=24)
"""How long a plan file may be applied."""


def make_plan(
    environment: Environment,
    /,
    registry_root: Path,
    cluster_name: str | None,
    models: tuple[str, ...],
    out: Path | None,
    snapshot: Path | None,
    output: str,
    detailed_exitcode: bool,
    **allowed: bool,
) -> int:
    """Plan, say it, save it to `out`; the exit code."""
    if out is not None:
        check_target(out)
    options = PlanOptions(models=models, **allowed)
    if snapshot is not None:
        plan = plan_from_snapshot(environment, registry_root, cluster_name, options, snapshot)
    else:
        with open_session(environment, registry_root, cluster_name) as session:
            _, plan = planned(session, options, environment)
    if out is not None:
        save_plan_file(out, dump(plan, created=datetime.now(UTC), lifetime=LIFETIME))
    console = environment.console
    console.out(say_plan(plan, output, console.out_style))
    if out is not None and snapshot is not None:
        console.note("saved, to be looked at: no apply takes a plan that rests on a snapshot")
    elif out is not None:
        console.note(f"saved; `reconcile apply {out}` carries out exactly this within {LIFETIME.days} day")
    return CHANGES if detailed_exitcode and plan.has_changes else 0
