"""`reconcile unlock`: who holds the lease on a cluster, and ending it."""

import json
from pathlib import Path

import click

from reconciler.apply.lease_record import Claim
from reconciler.apply.unlock import end_by_force, standing
from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, WrongUsage
from reconciler.cli.lease import claim
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.provenance import provenance
from reconciler.cli.session import choose_cluster
from reconciler.plan.plan import Source
from reconciler.registry.readable import readable
from reconciler.registry.revision import revision
from reconciler.views.lease import lease_json, lease_text


@click.command(short_help="Show who writes to the cluster now, and end that lease by force")
@registry_option
@cluster_option
@click.option("--force", is_flag=True, help="End the lease. The run that holds it stops before it writes again.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment,
    registry_root: Path,
    cluster_name: str | None,
    force: bool,
    auto_approve: bool,
    output: str,
) -> int:
    """Show who writes to the cluster now; with --force end that lease.

    The lease of a run that was killed ends by itself within three minutes. This is for who cannot wait, or for a run
    that must not go on; what that has sent already is not taken back.
    """
    console = environment.console
    if auto_approve and not force:
        raise WrongUsage("there is nothing to approve", "end the lease with `reconcile unlock --force`")
    # A model file that is broken must not keep anybody from this.
    entry = choose_cluster(readable(registry_root), cluster_name)
    with environment.connect(entry, environment.variables, environment.local_directory) as connection:
        client = connection.client
        held = standing(client)
        if held is None or not held.is_held:
            console.out(json.dumps({"held": False}) + "\n" if output == "json" else "nobody holds the lease\n")
            return 0
        if not force:
            _say(environment, output, lease_text(held), lease_json(held))
            return 0
        if not auto_approve:
            if not console.can_ask:
                raise WrongUsage("nobody is there to approve this", "give `--auto-approve`")
            console.note(lease_text(held))
            if not console.ask("End this lease?"):
                console.note("nothing was changed")
                return FAILED
        ended = end_by_force(client, _claim(environment, registry_root, entry.cluster.owner))
    _say(environment, output, f"ended: {lease_text(ended) or 'it was given back already'}", lease_json(ended))
    return 0


def _say(environment: Environment, output: str, text: str, document: dict[str, object]) -> None:
    environment.console.out(
        json.dumps(document, indent=2, ensure_ascii=False) + "\n" if output == "json" else text + "\n"
    )


def _claim(environment: Environment, root: Path, owner: str) -> Claim:
    found = revision(root)
    record = provenance(Source(found.commit, found.tree, found.dirty, ""), environment.variables)
    return claim(record, owner, environment.variables)
