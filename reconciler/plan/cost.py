"""What a change costs, as values: the time in which a model serves less or not at all, and what the GPUs cost a day.

All of it is a prediction. Where what it rests on is not known there is None, because a guess would look like knowledge.
Computed in `plan.outlook` and `plan.gpu_hours`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Basis(StrEnum):
    """What a load time rests on."""

    MEASURED = "measured"
    GIVEN = "given"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LoadTime:
    """Seconds from the start of a replica until it serves; None where nobody knows."""

    seconds: float | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds: at least, and at most as far as can be foreseen."""

    least: float
    most: float


NEVER = Span(0.0, 0.0)
"""Not for a second."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one action costs in time, beside the time in which an autoscaler adds nodes. A None among the spans is not
    known, because the load time is not."""

    load_time: LoadTime
    duration: Span | None
    """Until the last replica of the new version serves."""
    without_service: Span | None
    """In which no replica serves, of a model that serves now."""
    less_capacity: Span | None
    """In which fewer replicas serve than before and after, but some."""
    serving: int
    """The fewest replicas that serve at any moment."""


class LimitBasis(StrEnum):
    """What a time limit rests on."""

    WRITTEN = "written"
    LOAD_TIME = "load time"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Daily:
    """What all models of a registry take a day, at the fewest and at the most replicas that autoscaling may run."""

    floor: Mapping[str, float]
    """GPU-hours by accelerator type."""
    ceiling: Mapping[str, float]
    money_floor: float | None = None
    """In the currency of the cluster file, of the types that have a price there; None where none has."""
    money_ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class DailyCost:
    """What the GPUs of a cluster's models take and cost a day, before and after a plan."""

    before: Daily
    after: Daily
    currency: str | None = None
    unpriced: tuple[str, ...] = ()
    """Accelerator types in use that have no price, when others have one."""
