"""`reconcile plan show`: a plan file in words."""

import json
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.options import format_option
from reconciler.cli.read_plan_file import read_plan_file
from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.saved_plan import saved_plan


@click.command(short_help="Show a saved plan file")
@click.argument("plan_file", type=click.Path(path_type=Path), metavar="PLANFILE")
@format_option("text", "json", "markdown")
@click.pass_obj
def command(environment: Environment, plan_file: Path, output: str) -> int:
    """Show a saved plan file, as `reconcile plan` showed it. Asks nothing of the cluster."""
    saved = read_plan_file(plan_file)
    plan = saved_plan(saved.document)
    console = environment.console
    if output == "json":
        console.out(json.dumps(dict(saved.document), indent=2, ensure_ascii=False) + "\n")
    elif output == "markdown":
        console.out(plan_markdown(plan))
    else:
        console.out(plan_text(plan, console.out_style))
    console.note(f"made at {saved.created:%Y-%m-%d %H:%M} UTC, may be applied until {saved.expires:%Y-%m-%d %H:%M} UTC")
    return 0
