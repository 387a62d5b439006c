"""`reconcile drift`: what moved on the cluster though nobody merged anything."""

import json
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import CHANGES
from reconciler.cli.options import cluster_option, detailed_exitcode_option, format_option, registry_option
from reconciler.cli.session import open_session
from reconciler.drift.compare import find_drift
from reconciler.drift.encode import drift_json
from reconciler.views.drift_markdown import drift_markdown
from reconciler.views.drift_text import drift_text


@click.command(short_help="Say what moved on the cluster though nobody merged anything")
@registry_option
@cluster_option
@format_option("text", "json", "markdown")
@detailed_exitcode_option("is drift")
@click.pass_obj
def command(
    environment: Environment, registry_root: Path, cluster_name: str | None, output: str, detailed_exitcode: bool
) -> int:
    """Say what moved on the cluster though nobody merged anything."""
    with open_session(environment, registry_root, cluster_name) as session:
        report = find_drift(session.target.desired, session.live())
    console = environment.console
    if output == "json":
        console.out(json.dumps(drift_json(report), indent=2, ensure_ascii=False) + "\n")
    elif output == "markdown":
        console.out(drift_markdown(report))
    else:
        console.out(drift_text(report, console.out_style))
    return CHANGES if detailed_exitcode and report.has_drift else 0
