"""What makes apply stop as a whole. A single model that fails is an `Outcome`, never one of these.

    ApplyStopped
    ├── LiveChanged    somebody else changed the cluster since the plan, or since our last write
    ├── LostUpdate     somebody else wrote at the same moment: what we put is not what stands there
    ├── StateUnknown   the cluster's report cannot be believed, or none comes
    ├── LeaseHeld      somebody else writes to the cluster now
    ├── LeaseLost      this run may not write any more
    └── NoLease        no lease can be taken on this cluster

Each carries the outcomes of all actions of the plan up to then: what was not reached is SKIPPED.
"""

from dataclasses import dataclass

from reconciler.apply.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Differences:
    """Names of the applications that are not as expected, and how. `options` names cluster-wide Serve options."""

    changed: tuple[str, ...] = ()
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.appeared or self.vanished or self.options)

    def __str__(self) -> str:
        kinds = (
            ("changed", self.changed),
            ("appeared", self.appeared),
            ("vanished", self.vanished),
            ("cluster-wide option changed", self.options),
        )
        return "; ".join(f"{kind}: {', '.join(f'`{name}`' for name in names)}" for kind, names in kinds if names)


class ApplyStopped(Exception):
    """Apply cannot go on. `message` says why, `hint` what to do, `outcomes` what became of each action."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.outcomes: tuple[Outcome, ...] = ()


class LiveChanged(ApplyStopped):
    """The cluster is not what the plan was made from, or not what our last write left. Nothing was written."""

    def __init__(self, differences: Differences) -> None:
        super().__init__(
            f"the cluster changed since the plan was made ({differences})",
            "nothing more was written; run `reconcile plan` to see what is to be done now",
        )
        self.differences = differences


class LostUpdate(ApplyStopped):
    """Somebody else wrote between our read and our write, or right after it. `writers` says who, as far as that is
    known."""

    def __init__(self, differences: Differences, writers: tuple[str, ...] = ()) -> None:
        what = str(differences) or "what they changed cannot be told"
        who = f", by {'; '.join(writers)}" if writers else ""
        super().__init__(
            f"somebody else wrote to the cluster at the same moment ({what}{who})",
            "one of the two writes was lost; find out who writes there, then run `reconcile plan`",
        )
        self.differences = differences
        self.writers = writers


class StateUnknown(ApplyStopped):
    """The cluster cannot be read, or its report must not be believed."""


class LeaseHeld(ApplyStopped):
    """Somebody else holds the lease. Nothing was written."""


class LeaseLost(ApplyStopped):
    """The lease of this run is gone, or nothing proves that it is not. Nothing more is written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"this run may not write to the cluster any more: {reason}",
            "nothing more was written; `reconcile unlock` shows who holds the lease, `reconcile plan` what is left",
        )


class NoLease(ApplyStopped):
    """The cluster's job API, which holds the lease, cannot be used. Nothing was written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"no lease can be taken on the cluster: {reason}",
            "with `--no-lease` nothing keeps two runs apart; each only notices afterwards what the other did",
        )
