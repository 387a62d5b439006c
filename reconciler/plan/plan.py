"""The Plan: a frozen value that says, to the replica, what one apply will do.

Building it (`plan.build`), showing it (`views`) and carrying it out (`apply`) share only this value. It depends on the
registry and the live state alone: no clock, no order of files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diagnostics import Position
from reconciler.plan.change import Change, Impact
from reconciler.plan.options import NOTHING_ALLOWED, PlanOptions
from reconciler.registry.spec import RolloutStrategy
from reconciler.state.capacity import Bundles, Capacity
from reconciler.state.json_value import JsonValue


class ActionKind(StrEnum):
    """What is done to one application."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Rollout:
    """How running replicas are replaced, as the planner settled it from the model's wish and what fits."""

    strategy: RolloutStrategy
    surge_percent: int
    """Ray's `max_surge_percent` for this rollout; 0 unless the strategy is surge."""
    downtime_expected: bool
    sentence: str
    """One line for people, such as `no downtime expected (surge fits)`."""


@dataclass(frozen=True, slots=True)
class Action:
    """An intention: one application, what is done to it, why, and what it needs."""

    kind: ActionKind
    name: str
    model_id: str | None
    """None for the gateway."""
    change: Change
    reason: str
    rollout: Rollout | None
    """None unless replicas are replaced."""
    bundles: Bundles | None
    """The resources of one replica; None for a delete."""
    replicas_before: int
    replicas_after: int
    timeout_s: float
    """Seconds until the new version must serve."""
    position: Position | None
    """Where the model is written; None for the gateway and for a delete."""

    @property
    def impact(self) -> Impact:
        """What the action does to running replicas."""
        return self.change.impact


@dataclass(frozen=True, slots=True)
class Hold:
    """An Action that a guard refused, which guard, why, and what would release it."""

    action: Action
    guard: str
    reason: str
    release: str


@dataclass(frozen=True, slots=True)
class Wave:
    """Actions that are carried out by one PUT, and the whole document that PUT sends.

    `document` is the body of `PUT /api/serve/applications/`: everything that is to be there after this wave, with the
    applications of others, and those of held actions, as they are live.
    """

    actions: tuple[Action, ...]
    document: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the desired state comes from: the commit and tree of the registry, or None outside git, and whether the
    files differ from that commit."""

    commit: str | None
    tree: str | None
    dirty: bool
    digest: str
    """SHA-256 over the canonical models and the cluster."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Waves of Actions, Holds, and what they were computed from."""

    cluster: str
    address: str
    ray_version: str
    source: Source
    live_fingerprint: str
    waves: tuple[Wave, ...]
    holds: tuple[Hold, ...]
    unmanaged: tuple[str, ...]
    """Names of the applications that are not ours; listed, never changed."""
    capacity: Capacity
    warnings: tuple[str, ...] = ()
    options: PlanOptions = NOTHING_ALLOWED
    """What was allowed when it was made."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions in the order they are carried out."""
        return tuple(action for wave in self.waves for action in wave.actions)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to do or held: the one place that decides it."""
        return bool(self.waves or self.holds)
