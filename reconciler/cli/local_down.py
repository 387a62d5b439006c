"""`reconcile local down`: stop the embedded cluster."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.options import local_directory_option
from reconciler.serve.local.cluster import down


@click.command(short_help="Stop the local cluster and leave nothing running")
@local_directory_option
@click.pass_obj
def command(environment: Environment, directory: Path | None) -> int:
    """Stop the local cluster, everything it started included, and forget it."""
    folder = directory or environment.local_directory
    stopped = down(folder)
    environment.console.note("the local cluster is stopped" if stopped else f"there is no local cluster in `{folder}`")
    return 0
