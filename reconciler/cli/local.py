"""`reconcile local`: the embedded Ray cluster of this machine."""

import click

from reconciler.cli.lazy_group import Entry, LazyGroup

COMMANDS = {
    "up": Entry("reconciler.cli.local_up", "Start the local cluster, unless it runs"),
    "down": Entry("reconciler.cli.local_down", "Stop the local cluster and leave nothing running"),
    "status": Entry("reconciler.cli.local_status", "Say whether the local cluster runs, and where"),
}


@click.group(cls=LazyGroup, entries=COMMANDS, short_help="Start and stop an embedded Ray cluster on this machine")
def command() -> None:
    """Start and stop an embedded Ray cluster on this machine, for trying things out."""
