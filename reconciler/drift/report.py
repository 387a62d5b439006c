"""The DriftReport: what differs though nobody merged anything."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.diagnostics import Position
from reconciler.plan.change import FieldChange


class FindingKind(StrEnum):
    """The ways a cluster can differ from its registry."""

    CONFIG = "config"
    MISSING = "missing"
    HEALTH = "health"
    SCALE = "scale"
    UNMANAGED = "unmanaged"
    ORPHANED = "orphaned"
    """Ours by its mark, but the registry no longer calls for it."""

    @property
    def is_drift(self) -> bool:
        """Whether it makes `--detailed-exitcode` answer 2. What is not ours is told but is nobody's drift."""
        return self is not FindingKind.UNMANAGED


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what, on which application, field by field where it is configuration, and what would mend it."""

    kind: FindingKind
    application: str
    message: str
    remedy: str
    fields: tuple[FieldChange, ...] = ()
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Everything that differs on one cluster, sorted by application."""

    cluster: str
    findings: tuple[Finding, ...]
    in_sync: tuple[str, ...]
    """Names of the applications that are as the registry says."""

    @property
    def has_drift(self) -> bool:
        """Whether anything moved: the one place that decides it."""
        return any(finding.kind.is_drift for finding in self.findings)
