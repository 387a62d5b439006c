"""`reconcile snapshot`: what a cluster reports now, in a file that holds no secret."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.options import cluster_option, registry_option
from reconciler.cli.session import open_session
from reconciler.state.snapshot import snapshot_json


@click.command(short_help="Save what the cluster reports, for plans without it")
@registry_option
@cluster_option
@click.pass_obj
def command(environment: Environment, registry_root: Path, cluster_name: str | None) -> int:
    """Print what the cluster reports now, for `reconcile plan --snapshot FILE` where the cluster must not be asked.

    A pull request from a fork is such a place.

    No value of an environment variable is in it, and nothing of the configs of applications that are not ours.
    """
    with open_session(environment, registry_root, cluster_name) as session:
        live = session.live()
    entry = session.target.entry
    time = datetime.now(UTC).isoformat(timespec="seconds")
    document = snapshot_json(live, cluster=entry.name, owner=entry.cluster.owner, time=time)
    environment.console.out(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return 0
