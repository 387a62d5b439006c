"""`reconcile repair`: bring Serve back when its controller cannot read what it stored."""

from collections.abc import Collection
from pathlib import Path

import click

from reconciler.apply.events import Event
from reconciler.apply.lease import GRACE_S
from reconciler.apply.repair import look, prove, symptoms
from reconciler.apply.repair_job import RepairJob
from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, Failure, WrongUsage
from reconciler.cli.interrupt import interruptible
from reconciler.cli.lease import LeaseOptions, claim, lease_options, leave_to_write
from reconciler.cli.options import cluster_option, registry_option
from reconciler.cli.provenance import provenance
from reconciler.cli.session import Session, open_session
from reconciler.serve.stored import StoredState
from reconciler.state.live import UnknownState
from reconciler.views.event_text import event_text
from reconciler.views.printable import listed
from reconciler.views.repair_text import findings_text, proof_text

_HEALTHY = "nothing to repair: Serve lists its applications and can read what it stored\n"


@click.command(short_help="Bring Serve back when it cannot read what it stored")
@registry_option
@cluster_option
@click.option(
    "--drop",
    multiple=True,
    metavar="APPLICATION",
    help="Delete this application, and stop its replicas, where no way is known to mend what is stored for it. "
    "May be given more than once.",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@lease_options
@click.pass_obj
def command(
    environment: Environment,
    registry_root: Path,
    cluster_name: str | None,
    drop: tuple[str, ...],
    auto_approve: bool,
    lease_wait: float,
    no_lease: bool,
) -> int:
    """Bring Serve back when it cannot read what it stored.

    A config that Ray cannot build (an environment variable that is no text is enough) is stored although its PUT was
    refused. Every later apply is refused as well then, and when the controller restarts it does not come up: the
    models go on serving, but Serve lists none, and replaces none that fails. This looks at what is stored, by a
    job in the cluster that only reads; says what is wrong, what it would do and what survives; asks; mends it; and
    proves that everything is listed again. Replicas that serve go on, and the applications of others are kept.
    """
    console = environment.console
    with open_session(environment, registry_root, cluster_name) as session:
        live = look(session.connection.client)
        if isinstance(live, UnknownState) and not live.is_lost:
            raise Failure(live.reason, live.hint)
        seen = symptoms(live)
        if not seen:
            console.out(_HEALTHY)
            return 0
        job = RepairJob(session.connection.client, environment.clock())
        console.note("looking at what Serve has stored, by a job in the cluster")
        found = job.examine()
        is_sound = not found.faulty and (found.controller_lives or not found.is_stored)
        if is_sound and not isinstance(live, UnknownState):
            console.out(_HEALTHY)
            return 0
        _refuse(found, drop)
        console.out(findings_text(seen, found, drop, console.out_style))
        if not auto_approve:
            if not console.can_ask:
                raise WrongUsage("nobody is there to approve this", "give `--auto-approve`")
            if not console.ask("Repair it?"):
                console.note("nothing was changed")
                return FAILED
        return _repair(environment, session, job, found, drop, LeaseOptions(lease_wait, no_lease))


def _refuse(found: StoredState, drop: Collection[str]) -> None:
    """Raise Failure where this cannot help, and WrongUsage for a needless `--drop`."""
    if found.shutting_down:
        raise Failure(
            "Serve is shutting down, as somebody asked it to",
            "wait until its last replica has stopped; then `reconcile apply` starts everything anew",
        )
    if not found.is_stored:
        raise Failure(
            "Serve has nothing stored, though replicas live",
            "nothing can bring back what they belong to: stop them in the Ray dashboard, then run `reconcile apply`",
        )
    if found.controller_lives and not found.faulty:
        raise Failure(
            "the Serve controller lives and can read what it stored, but its list cannot be read from here",
            "try again in a minute; the controller's log is on the head node, in Ray's log folder below `serve`",
        )
    hopeless = {entry.name for entry in found.faulty if entry.remedy is None}
    needless = [name for name in drop if name not in hopeless]
    if needless:
        raise WrongUsage(
            f"no need to delete {listed(needless)}", "`--drop` is for what cannot be mended in any other way"
        )
    left = sorted(hopeless.difference(drop))
    if left:
        reasons = "".join(f"\n  - {entry.name}: {entry.fault}" for entry in found.faulty if entry.name in left)
        raise Failure(
            f"no way is known to mend what is stored for {listed(left)}:{reasons}",
            f"`--drop {left[0]}` deletes it and stops its replicas, so that the others come back",
        )


def _essence(found: StoredState) -> tuple[object, ...]:
    """What was approved."""
    return found.controller_lives, [(entry.name, entry.fault, entry.remedy) for entry in found.applications]


def _repair(
    environment: Environment,
    session: Session,
    job: RepairJob,
    found: StoredState,
    drop: tuple[str, ...],
    options: LeaseOptions,
) -> int:
    """Mend what is stored by the time that this run may write, and prove it."""
    console, variables = environment.console, environment.variables
    record = provenance(session.target.source(), variables)
    wanted = claim(record, session.target.desired.owner, variables)

    def say(event: Event) -> None:
        console.note(event_text(event, console.note_style))

    with (
        interruptible(console) as stop,
        leave_to_write(wanted, options, environment, session, say, stop) as leave,
    ):
        if leave.waited_s >= GRACE_S and _essence(job.examine()) != _essence(found):
            raise Failure(
                "what Serve has stored changed while this run waited to write", "run `reconcile repair` again"
            )
        leave.fence()
        job.mend(drop)
        proof = prove(session.connection.client, found, frozenset(drop), environment.clock())
    console.out(proof_text(proof, console.out_style))
    if proof.missing:
        return FAILED
    console.note("`reconcile plan` shows what still differs from the registry")
    return 0
