"""`reconcile local status`: whether the embedded cluster runs, and where."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED
from reconciler.cli.options import local_directory_option
from reconciler.serve.local.cluster import load


@click.command(short_help="Say whether the local cluster runs, and where")
@local_directory_option
@click.pass_obj
def command(environment: Environment, directory: Path | None) -> int:
    """Say whether the local cluster runs, and where; exit code 1 when it does not."""
    folder = directory or environment.local_directory
    cluster = load(folder)
    if cluster is None or not cluster.is_alive:
        state = "none" if cluster is None else "not running any more"
        environment.console.out(f"local cluster in {folder}: {state}\n")
        return FAILED
    environment.console.out(
        f"local cluster in {folder}: running, authentication {cluster.auth}\n"
        f"dashboard {cluster.dashboard_address}\n"
        f"gateway   {cluster.gateway_address}/v1\n"
        f"models    {cluster.models_directory}\n"
    )
    return 0
