"""What the person who plans allows this once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Permissions for one plan; they are part of it, so that a saved plan is checked under the same ones."""

    allow_delete: bool = False
    """Deletes, however many."""
    allow_downtime: bool = False
    """Restarts without room for new replicas beside the old ones."""
    allow_protected: bool = False
    """Deletes and restarts of protected models."""


NOTHING_ALLOWED = PlanOptions()
"""A plan that deletes much, stops service or touches protected models is held back."""
