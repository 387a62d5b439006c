"""`reconcile status`: what runs on the cluster now."""

from pathlib import Path

import click

from reconciler.cli.choose_model import choose_application
from reconciler.cli.environment import Environment
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.session import open_session
from reconciler.views.status_json import status_json
from reconciler.views.status_text import status_text


@click.command(short_help="Show the applications of the cluster, their replicas and the nodes")
@click.argument("model", required=False)
@registry_option
@cluster_option
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment, model: str | None, registry_root: Path, cluster_name: str | None, output: str
) -> int:
    """Show the applications of the cluster, their replicas and the nodes; with MODEL only that one's."""
    with open_session(environment, registry_root, cluster_name) as session:
        live = session.live()
    entry = session.target.entry
    applications = sorted(live.applications, key=lambda application: application.name)
    if model is not None:
        name = choose_application(model, [application.name for application in applications])
        applications = [application for application in applications if application.name == name]
    console = environment.console
    if output == "json":
        console.out(status_json(live, applications, entry.name, entry.cluster.owner))
    else:
        console.out(status_text(live, applications, entry.cluster.owner, console.out_style))
    return 0
