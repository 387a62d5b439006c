"""How long the gateway waits, and how much it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of all requests. Times are in seconds."""

    body_bytes: int = 64 * 2**20
    """The longest body of a request."""
    start_s: float = 300.0
    """How long a request waits for a model without a replica: one that is scaled to zero and starts for it."""
    queue_s: float = 300.0
    """How long a request waits until a replica takes it, while all are busy."""
    answer_s: float = 600.0
    """How long a replica that has the request may take until its answer begins; without streaming, until it is done."""
    silence_s: float = 300.0
    """How long an answer that has begun may pause."""

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> "Limits":
        """The limits in the gateway's `user_config`; what is not given has its default.

        Raises:
            TypeError: there is no such limit.
        """
        return cls(**settings)
