"""The shape of a check: a small named function from what was written to the problems in it.

The function's name in kebab-case is the rule id that people see, so a check that finds several kinds of problems is
several checks.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.outline import RegistryOutline

if TYPE_CHECKING:
    from reconciler.registry.registry import ModelEntry

ModelCheck = Callable[["ModelEntry"], Iterable[Diagnostic]]
"""Looks at one model file alone."""

RegistryCheck = Callable[[RegistryOutline], Iterable[Diagnostic]]
"""Looks across files. Model ids may be given twice at this point, and files that were refused are absent."""


def rule_name(check: Callable[..., Any]) -> str:
    """The rule id of a check: `replica_bounds` becomes `replica-bounds`."""
    return check.__name__.replace("_", "-")
