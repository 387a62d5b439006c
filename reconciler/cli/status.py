"""`reconcile status`: what runs on the cluster now, and what it has to do."""

import json
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.look import look
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.session import open_session

INTERVAL_S = 2.0


@click.command(short_help="Show what runs on the cluster, and what it has to do")
@click.argument("model", required=False)
@registry_option
@cluster_option
@format_option("text", "json")
@click.option(
    "--watch",
    is_flag=True,
    help="Go on looking until Ctrl-C. On a terminal the page is drawn again, elsewhere each change is a line; with "
    "--format json each look is one.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.5),
    metavar="SECONDS",
    help=f"Between two looks of --watch.  [default: {INTERVAL_S:g}]",
)
@click.pass_obj
def command(
    environment: Environment,
    model: str | None,
    registry_root: Path,
    cluster_name: str | None,
    output: str,
    watch: bool,
    interval: float | None,
) -> int:
    """Show the models of the cluster: health, replicas, GPUs, requests in flight and in all, how long each has been
    idle, the nodes, and who writes to the cluster now. With MODEL everything about that one.

    What the replicas have to do is asked of the cluster's gateway. Where that cannot tell it is not known, which is
    not zero.
    """
    if interval is not None and not watch:
        raise WrongUsage("`--interval` is the time between two looks", "add `--watch`")
    console = environment.console
    with open_session(environment, registry_root, cluster_name) as session:
        first = look(session, model)
        if first.trouble is not None:
            console.note(first.trouble)
        if watch:
            from reconciler.cli.watch_status import watch_status

            watch_status(first, lambda: look(session, model), environment, output, interval or INTERVAL_S)
    if output == "json":
        console.out(json.dumps(first.document, indent=2, ensure_ascii=False) + "\n")
    else:
        console.out(first.text(console.out_style))
    return 0
