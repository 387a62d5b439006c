"""The lease of a command that writes: its options, who asks for it, and holding it while the command works."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from reconciler.apply.errors import LeaseLost
from reconciler.apply.events import Event, LeaseAwaited, LeaseReleased, LeaseTaken
from reconciler.apply.exchange import Fence, no_fence
from reconciler.apply.lease import Lease
from reconciler.apply.lease_keeper import LeaseKeeper
from reconciler.apply.lease_record import Claim, LeaseRecord
from reconciler.apply.stop import StopSignal
from reconciler.cli.environment import Environment
from reconciler.cli.session import Session
from reconciler.cli.whence import whence
from reconciler.state.provenance import Record

Command = TypeVar("Command", bound=Callable[..., Any])

WAIT_S = 900.0
"""For another run on the same cluster: jobs of one pipeline queue up behind each other."""
SAY_AGAIN_S = 30.0
"""Who is waited for is said so often."""


@dataclass(frozen=True, slots=True)
class LeaseOptions:
    """What the command line says about the lease: the seconds to wait for it, or to go on without."""

    lease_wait: float = WAIT_S
    no_lease: bool = False


def lease_options(command: Command) -> Command:
    """`--lease-wait` and `--no-lease`, as `lease_wait` and `no_lease`."""
    command = click.option(
        "--no-lease",
        is_flag=True,
        help="Write without keeping other runs away, where Ray's job API cannot be used.",
    )(command)
    return click.option(
        "--lease-wait",
        type=click.FloatRange(min=0.0),
        default=WAIT_S,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait while another run writes to the cluster.",
    )(command)


def claim(record: Record, owner: str, variables: Mapping[str, str]) -> Claim:
    """Who asks, out of the record that the gateway will remember as well."""
    return Claim(
        who=record.who or "",
        where=whence(variables),
        owner=owner,
        commit=record.commit,
        version=record.version or "",
    )


@dataclass(frozen=True, slots=True)
class Leave:
    """The leave to write: the fence to ask before each PUT, and the seconds for which others wrote first."""

    fence: Fence
    waited_s: float


@contextmanager
def leave_to_write(
    wanted: Claim,
    options: LeaseOptions,
    environment: Environment,
    session: Session,
    emit: Callable[[Event], None],
    stop: StopSignal,
) -> Iterator[Leave]:
    """Hold the lease, renewing it, until the block is left for whatever reason. Where a stop was requested before it
    could be taken, nothing may be written. Raises `LeaseHeld`, `NoLease` or `ServeError`.
    """
    if options.no_lease:
        yield Leave(no_fence, 0.0)
        return
    lease = Lease(session.connection.client, wanted, environment.clock())
    waited = lease.acquire(options.lease_wait, _Waiting(emit), stop)
    if waited is None:
        yield Leave(_closed, 0.0)
        return
    emit(LeaseTaken(lease.number or 0, waited))
    keeper = LeaseKeeper(lease)
    try:
        with keeper:
            yield Leave(lease.check, waited)
    finally:
        emit(LeaseReleased(keeper.released, lease.terms.ttl_s))


class _Waiting:
    """Says who is waited for, at first, when that changes, and again and again."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._said: tuple[str, float] | None = None

    def __call__(self, holder: LeaseRecord, seconds: float) -> None:
        if self._said is None or self._said[0] != holder.holder or seconds - self._said[1] >= SAY_AGAIN_S:
            self._said = (holder.holder, seconds)
            self._emit(LeaseAwaited(holder.holder, holder.since, holder.until, seconds))


def _closed() -> None:
    raise LeaseLost("it was stopped before it had the lease")
