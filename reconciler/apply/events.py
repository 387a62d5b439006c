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
    """One action, once per poll (about every second) until it is finished."""

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


Event = WaveStarted | DocumentSent | Progress | SmokeAnswered | RollbackStarted | Finished
