"""What the person who plans allows this once, and how much of the registry it is about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Permissions for one plan and its models; part of it, so that a saved plan is checked under the same ones."""

    allow_delete: bool = False
    """Deletes, however many."""
    allow_downtime: bool = False
    """Restarts without room for new replicas beside the old ones."""
    allow_mass_change: bool = False
    """Restarts, however many."""
    allow_protected: bool = False
    """Deletes and restarts of protected models."""
    models: tuple[str, ...] = ()
    """Names and patterns of the only models to plan (`plan.selection`); empty for everything."""


NOTHING_ALLOWED = PlanOptions()
"""A plan that deletes or restarts much, stops service or touches protected models is held back."""
