"""`reconcile history`: what was applied, by whom, and what became of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.session import believable, choose_cluster
from reconciler.plan.standing import standing
from reconciler.registry.commits import RegistryCommit, is_ancestor, merged_since, subjects
from reconciler.registry.readable import readable_clusters
from reconciler.registry.repository import GitTrouble, open_repository
from reconciler.state.provenance import MAX_RECORDS, Record, history
from reconciler.state.way_back import last_whole
from reconciler.views.applied import Applied
from reconciler.views.history_json import history_json
from reconciler.views.history_text import history_text


@click.command(short_help="Show what was applied, by whom, and what became of it")
@registry_option
@cluster_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=MAX_RECORDS,
    show_default=True,
    help="Show so many applies, the latest ones, and as many commits that were merged since.",
)
@format_option("text", "json")
@click.pass_obj
def command(environment: Environment, registry_root: Path, cluster_name: str | None, limit: int, output: str) -> int:
    """Show what was applied, by whom, and what became of it.

    The cluster remembers the last applies; git says what their commits are, and what was merged since.
    """
    entry = choose_cluster(readable_clusters(registry_root), cluster_name)
    with environment.connect(entry, environment.variables, environment.local_directory) as connection:
        live = believable(connection)
    owner = entry.cluster.owner
    records = history(live, owner)[:limit]
    stands = standing(live, owner)
    found = _git(registry_root, records, limit)
    applied = Applied(
        cluster=entry.name,
        owner=owner,
        records=records,
        subjects=found[0],
        now=next((number for number, record in enumerate(records) if record.left == stands), None),
        since=found[1] and found[1][:limit],
        more_since=found[1] is not None and len(found[1]) > limit,
        trouble=found[2],
    )
    console = environment.console
    console.out(history_json(applied) if output == "json" else history_text(applied, console.out_style))
    return 0


def _git(
    root: Path, records: Sequence[Record], limit: int
) -> tuple[Mapping[str, str], Sequence[RegistryCommit] | None, str | None]:
    """The subjects of the commits, what was merged since the newest, and what is to be said about what is missing."""
    commits = [record.commit for record in records if record.commit]
    if not commits:
        return {}, None, None
    try:
        with open_repository(root) as repository:
            known = subjects(repository, commits)
            last = last_whole(records)
            since, trouble = None, None
            if last is not None and last in known:
                if is_ancestor(repository, last, repository.git.head.commit.hexsha):
                    since = merged_since(repository, last, limit + 1)
                else:
                    trouble = f"commit {last[:12]} is no part of what is checked out here"
            missing = len(set(commits) - known.keys())
            if missing:
                verb = "is" if missing == 1 else "are"
                trouble = f"{missing} of these commits {verb} not in this clone; {repository.how_to_fetch}"
            return known, since, trouble
    except GitTrouble as error:
        return {}, None, f"{error.message}; {error.hint}"
