"""What an earlier commit's registry calls for on a cluster of today."""

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.failure import Failure
from reconciler.cli.session import Target
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import has_errors
from reconciler.registry.past import load_past
from reconciler.registry.past_cluster import as_it_was
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.registry.repository import RegistryRepository
from reconciler.serve.packages import resolve_packages
from reconciler.state.desired import desired_state
from reconciler.views.diagnostics_text import diagnostics_text, summary_line

if TYPE_CHECKING:
    from pathlib import Path

    from git import Commit


def past_target(
    root: "Path", repository: RegistryRepository, commit: "Commit", now: ClusterEntry, console: Console
) -> Target:
    """Compile the registry of that commit for the cluster, which is reached as its file says now.

    Problems are shown on stderr. Raises Failure when one of them is an error or the commit does not know the cluster,
    and GitTrouble when git cannot read it.
    """
    past = load_past(repository, commit)
    found = past.loaded.diagnostics
    short = commit.hexsha[:12]
    if found:
        text = diagnostics_text(found, source_lines(found, past.texts), console.note_style)
        console.note(text + "\n" + summary_line(found, None, None))
    if past.loaded.registry is None or has_errors(found):
        raise Failure(
            f"the registry of commit {short} does not pass the checks of this version of reconcile",
            "go back to a later commit with `--to`, or to this one with the version that applied it: "
            "`reconcile history --format json` names it",
        )
    entry = _cluster(past.loaded.registry, now, short)
    clusters = tuple(entry if one.name == entry.name else one for one in past.loaded.registry.clusters)
    registry = replace(past.loaded.registry, clusters=clusters)
    uris, packages = resolve_packages(entry.cluster)
    return Target(root, registry, entry, desired_state(registry, entry, uris), uris, packages, past.revision)


def _cluster(registry: Registry, now: ClusterEntry, short: str) -> ClusterEntry:
    then = registry.cluster(now.name)
    if then is None:
        names = ", ".join(f"`{entry.name}`" for entry in registry.clusters)
        raise Failure(f"commit {short} has no cluster `{now.name}`", f"its clusters are {names}" if names else None)
    if then.cluster.owner != now.cluster.owner:
        raise Failure(
            f"in commit {short} the cluster's owner was `{then.cluster.owner}`, now it is `{now.cluster.owner}`",
            "what another owner deployed is never changed; go back to a commit of this owner with `--to`",
        )
    return as_it_was(now, then)
