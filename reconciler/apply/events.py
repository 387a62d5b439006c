"""What apply says while it works, as small values. The executor never prints: a view turns these into text."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.apply.outcome import Outcome


class Phase(StrEnum):
    """Where one action stands."""

    WAITING = "waiting"
    """For the new version to run."""
    ASKING = "asking"
    """It runs; a real request has not been answered yet."""
    ROLLING_BACK = "rolling back"
    """It failed; its previous config was put back and is not healthy yet."""


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """A wave begins: its number counted from 1, of how many, and the applications it changes."""

    number: int
    count: int
    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentSent:
    """A whole document stands in the cluster: sent, read back and compared."""

    applications: int
    """How many applications it lists, those of others included."""
    reason: str
    """`wave 1 of 2`, or `roll back NAME`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One action, at each look at the cluster (ten a second at first, then one) until it is finished."""

    application: str
    phase: Phase
    message: str
    """What is being waited for, in a few words; never holds a secret."""
    running: int
    """Replicas that serve the new version."""
    target: int
    """Replicas there should be at least."""
    seconds: float
    """Since the document was sent."""


@dataclass(frozen=True, slots=True)
class SmokeAnswered:
    """A real request was answered through the gateway: what was asked, the start of the answer, seconds it took."""

    application: str
    asked: str
    answer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """An action failed; its application alone goes back to its previous config."""

    application: str
    cause: str


@dataclass(frozen=True, slots=True)
class Finished:
    """One action has its Outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class LeaseAwaited:
    """Somebody else writes to the cluster, and this run has waited for so many seconds."""

    holder: str
    """Who, and from where."""
    since: str
    """ISO 8601; empty when the holder does not say."""
    until: str
    """When it ends unless it is renewed; likewise."""
    seconds: float


@dataclass(frozen=True, slots=True)
class LeaseTaken:
    """This run alone may write to the cluster: the lease's number, and the seconds that were waited for it."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LeaseReleased:
    """The lease was given back. If that is not `certain` it ends by itself, at most `ttl_s` seconds later."""

    certain: bool
    ttl_s: float


Event = (
    WaveStarted
    | DocumentSent
    | Progress
    | SmokeAnswered
    | RollbackStarted
    | Finished
    | LeaseAwaited
    | LeaseTaken
    | LeaseReleased
)
