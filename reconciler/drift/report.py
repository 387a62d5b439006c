"""The DriftReport: how one cluster differs from its registry, and who moved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.diagnostics import Position
from reconciler.plan.change import FieldChange, Impact
from reconciler.plan.diff import hide
from reconciler.state.accelerators import Accelerator
from reconciler.state.json_value import JsonValue


class FindingKind(StrEnum):
    """The ways a cluster can differ from its registry."""

    CONFIG = "config"
    MISSING = "missing"
    ORPHANED = "orphaned"
    """Ours by its mark, but the registry does not call for it."""
    HEALTH = "health"
    SCALE = "scale"
    RUNNING = "running"
    """What runs is not what was submitted: other options are in effect."""
    CLUSTER = "cluster"
    """Nodes or accelerators that should be there are not."""
    UNMANAGED = "unmanaged"

    @property
    def is_drift(self) -> bool:
        """Whether it makes `--detailed-exitcode` answer 2. What is not ours is told but is nobody's drift."""
        return self is not FindingKind.UNMANAGED


SUBMITTED = frozenset({FindingKind.CONFIG, FindingKind.MISSING, FindingKind.ORPHANED})
"""Differences in what was submitted, of which what was applied tells who moved."""


class Origin(StrEnum):
    """Which side moved since the last apply."""

    CLUSTER = "changed on the cluster"
    """Behind the registry's back: live is not what was applied, and the registry still says what was."""
    REGISTRY = "merged, not applied yet"
    """Live is what was applied, and the registry says something else by now."""
    BOTH = "changed on both sides"
    """A conflict: neither is what was applied."""
    UNKNOWN = "unknown"
    """Nobody knows what was applied: no apply is recorded, or git does not have its commit."""


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Requests fail or will, or somebody changed what a merge will overwrite in conflict."""
    WARNING = "warning"
    """It differs and still serves."""
    NOTE = "note"
    """It is as it should be at this moment: the next apply is under way to it, or it is not ours."""


@dataclass(frozen=True, slots=True)
class DriftField:
    """One field that differs: `change` leads from live (before) to desired (after)."""

    change: FieldChange
    origin: Origin
    applied: JsonValue = None
    """What the last apply put there; None also where that is not known (`applied_set` tells)."""
    applied_set: bool = False


def observed(path: str, live: JsonValue, registry: JsonValue) -> DriftField:
    """A difference that no config has: what is there, and what should be; None where nobody says."""
    change = FieldChange(path, hide(live), hide(registry), live is not None, registry is not None, Impact.NONE, "")
    return DriftField(change, Origin.CLUSTER)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what, on which application, who moved, how bad, and what would mend it."""

    kind: FindingKind
    application: str
    """The name of the application; empty for the cluster itself."""
    message: str
    remedy: str
    """A sentence with the command that mends it."""
    severity: Severity
    origin: Origin = Origin.UNKNOWN
    fields: tuple[DriftField, ...] = ()
    position: Position | None = None
    since: str | None = None
    """ISO 8601 with a time zone: it has been so from then on or longer, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Something that differs and may: why."""

    application: str
    path: str
    """The field as in a finding, or `replicas`."""
    message: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding, or some of its fields, that a rule of the registry says to leave alone, and that rule's reason."""

    finding: Finding
    reason: str


class Standing(StrEnum):
    """How one application of the registry stands, worst last."""

    IN_SYNC = "in sync"
    PENDING = "pending"
    """Merged and not applied yet, or on its way."""
    DRIFTED = "drifted"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Member:
    """One application that the registry wants on the cluster, at a glance."""

    application: str
    model_id: str | None
    """None for the gateway."""
    standing: Standing
    status: str
    """Ray's word for the application; empty when it is not there."""
    running: int
    """Replicas that serve."""
    target: int
    """Replicas that Ray aims at."""
    min_replicas: int
    max_replicas: int
    gpus: float
    """Of one replica."""
    accelerator: str | None
    """The accelerator type that one replica asks for, without `accelerator_type:`; None where it asks for none."""
    position: Position | None
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each library that its replicas say they run, by name, every version; empty where they do not say."""
    revisions: tuple[str, ...] = ()
    """The commits of the weights that its replicas have loaded."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Everything that differs on one cluster, sorted by application."""

    cluster: str
    findings: tuple[Finding, ...]
    in_sync: tuple[str, ...]
    """Names of the applications that are as the registry says."""
    expected: tuple[Expected, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    fleet: tuple[Member, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()
    applied_commit: str | None = None
    """What the last apply was made from; None when that is not known."""
    applied_time: str | None = None
    registry_commit: str | None = None
    ray_version: str = ""
    time: str | None = None
    """When the cluster was read, ISO 8601 with a time zone."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how this came about."""

    @property
    def has_drift(self) -> bool:
        """Whether anything moved: the one place that decides it."""
        return any(finding.kind.is_drift for finding in self.findings)

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How many applications stand how."""
        return {standing: sum(member.standing is standing for member in self.fleet) for standing in Standing}
