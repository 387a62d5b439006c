"""Who uses the models of a cluster, as its gateway counted the requests.

Whoever reaches a model past the gateway is not counted. A gateway counts from when it started, so a model that does not
appear had no request in that time, and nothing is known of the time before.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelTraffic:
    """The requests for one model: how many, and how many seconds ago the latest came."""

    requests: int
    last_s: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests that a gateway counted, by model id, in the last `watched_s` seconds."""

    watched_s: float
    models: Mapping[str, ModelTraffic]
    replicas: int = 1
    """How many replicas of the gateway counted."""


@dataclass(frozen=True, slots=True)
class UnknownTraffic:
    """Nobody could say who uses the models, and why, in words that continue a sentence."""

    reason: str
