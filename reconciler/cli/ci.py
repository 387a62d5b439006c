"""`reconcile ci`: what a CI job says where people read it."""

import click

from reconciler.cli.lazy_group import Entry, LazyGroup

COMMANDS = {
    "comment": Entry("reconciler.cli.ci_comment", "Keep one comment with the plan on a pull request"),
    "issue": Entry("reconciler.cli.ci_issue", "Keep one issue about drift open while there is any"),
}


@click.group(cls=LazyGroup, entries=COMMANDS, short_help="Say a plan or drift on GitHub or GitLab")
def command() -> None:
    """Say a plan or drift where people read it: on a pull request or in an issue, on GitHub or GitLab."""
