"""The Plan: a frozen value that says, to the replica, what one apply will do.

Building it (`plan.build`), showing it (`views`) and carrying it out (`apply`) share only this value. It depends on the
registry and the live state alone: no clock, no order of files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.diagnostics import Position
from reconciler.plan.change import Change, Impact
from reconciler.plan.cost import Cost, DailyCost, LimitBasis
from reconciler.plan.options import NOTHING_ALLOWED, PlanOptions
from reconciler.registry.choices import RolloutStrategy
from reconciler.state.capacity import Bundles, Capacity
from reconciler.state.json_value import JsonValue


class ActionKind(StrEnum):
    """What is done to one application."""

    CREATE = "create"
    UPDATE = "update"
    RETRY = "retry"
    """As the registry says but failed to deploy: Ray is made to try again."""
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
    batch: int = 0
    """Replicas that are replaced at a time: with surge those that start beside the old ones, else those that stop."""
    batch_share: float | None = None
    """Ray's `rolling_update_percentage` for this rollout, a share; None leaves Ray's own."""
    serving: int = 0
    """The fewest replicas that serve meanwhile."""


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
    cost: Cost | None = None
    """What it costs in time; None for a delete."""
    timeout_basis: LimitBasis = LimitBasis.DEFAULT
    """What `timeout_s` rests on."""
    awaits: Mapping[str, int] = field(default_factory=dict)
    """Nodes that the cluster's autoscaler has to add before it fits, by type."""

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
    """What was allowed when it was made, and which models it is about."""
    left_out: tuple[str, ...] = ()
    """Names of the applications that differ too and that the options leave out."""
    as_of: str | None = None
    """When the cluster was read, ISO 8601, of a plan that rests on a snapshot; None where it rests on the cluster."""
    daily_cost: DailyCost | None = None
    """What the GPUs of all models take a day, before and after."""
    rollback_to: str | None = None
    """The commit that a rollback goes to; None where it is about what is checked out."""
    short_of_room: bool = False
    """Whether anything is held, waits or is replaced in another way because of what is in use on the nodes."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions in the order they are carried out."""
        return tuple(action for wave in self.waves for action in wave.actions)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to do or held: the one place that decides it."""
        return bool(self.waves or self.holds)
