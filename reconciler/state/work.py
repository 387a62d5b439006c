"""What the replicas of each application say of themselves: how much they have to do, and what they run.

A replica counts its requests from when it started, so nothing is known of the time before. What nobody could tell is
unknown, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights that a replica has loaded."""

    source: str | None
    """Where they came from: a name on the Hugging Face Hub, a path, or a URI."""
    revision: str | None
    """The commit that their revision came to; None where there is none, or it is not known."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter on one replica."""

    state: str
    """`loading`, `loaded` or `failed`."""
    revision: str | None = None
    """The commit that its revision came to; None where there is none, or it is not known."""
    reason: str = ""
    """Why it failed, without secrets."""


@dataclass(frozen=True, slots=True)
class About:
    """What one replica runs."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """By the name of the library, such as `vllm`."""
    weights: Weights | None = None
    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    """By id."""


@dataclass(frozen=True, slots=True)
class ReplicaWork:
    """What one replica says of itself."""

    replica_id: str | None
    """None where it does not say which one it is."""
    requests: int
    """Since it started."""
    ongoing: int
    last_s: float | None
    """Seconds since the latest request began; None where there was none."""
    watched_s: float
    """Seconds since it started to count."""
    about: About | None = None


@dataclass(frozen=True, slots=True)
class UnknownWork:
    """Nobody could say it, and why, in words that continue a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """What the replicas of each application said, by its name; an application that does not appear was not asked."""

    applications: Mapping[str, tuple[ReplicaWork, ...] | UnknownWork]

    def of(self, application: str) -> tuple[ReplicaWork, ...] | UnknownWork:
        """What the replicas of an application said."""
        return self.applications.get(application, UnknownWork("the gateway does not know it"))
