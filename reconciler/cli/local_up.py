"""`reconcile local up`: start the embedded cluster."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.options import local_directory_option
from reconciler.serve.local.cluster import AUTH_MODES, DATA_PLANES, load, up

AUTH_VARIABLE = "RAY_AUTH_MODE"


@click.command(short_help="Start the local cluster, unless it runs")
@local_directory_option
@click.option(
    "--auth",
    type=click.Choice(AUTH_MODES),
    envvar=AUTH_VARIABLE,
    default="disabled",
    show_default=True,
    show_envvar=True,
    help="Ray's token authentication.",
)
@click.option(
    "--data-plane",
    type=click.Choice(DATA_PLANES),
    default=DATA_PLANES[0],
    show_default=True,
    help="What takes the requests: Serve's own proxy, or HAProxy.",
)
@click.option("--cpus", type=click.IntRange(1), default=8, show_default=True, help="Logical CPUs, as many as you like.")
@click.pass_obj
def command(environment: Environment, directory: Path | None, auth: str, data_plane: str, cpus: int) -> int:
    """Start the local cluster, unless it runs: a Ray head with Serve on free ports, and tiny models to serve."""
    console = environment.console
    folder = directory or environment.local_directory
    running = load(folder)
    if running is not None and running.is_alive:
        console.note(
            f"it runs already, with authentication mode `{running.auth}` and data plane `{running.data_plane}`"
        )
    cluster = up(folder, auth=auth, num_cpus=cpus, data_plane=data_plane, progress=console.note)
    console.out(f"dashboard {cluster.dashboard_address}\ngateway   {cluster.gateway_address}/v1\n")
    return 0
