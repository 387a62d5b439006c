"""Rules that a model file may break because it says why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reconciler.diagnostics import Diagnostic, Position, Severity

WAIVABLE_ERRORS = frozenset({"context-of-weights", "fits-gpu-memory"})
"""Errors about what cannot be known for certain from here. Policies and warnings may be waived as well."""

POLICY = "policy/"
"""Begins the rule of every policy."""

_OWN = frozenset({"unused-waiver", "expired-waiver"})


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of `waive` in a model file, with its place."""

    position: Position
    rule: str
    reason: str
    expires: str | None = None
    """The last day on which it holds, as YYYY-MM-DD."""


@dataclass(frozen=True, slots=True)
class Waived:
    """A problem that is there, and why it may be."""

    diagnostic: Diagnostic
    reason: str


def waive(
    diagnostics: Sequence[Diagnostic], waivers: Iterable[Waiver], today: date
) -> tuple[list[Diagnostic], list[Waived]]:
    """The problems that stay, those of the waivers included, and those that are waived."""
    open_waivers = {}
    problems: list[Diagnostic] = []
    for waiver in waivers:
        if waiver.expires is not None and waiver.expires < today.isoformat():
            message = f"the waiver of `{waiver.rule}` expired on {waiver.expires}"
            hint = "mend what it stands for, or give it another date"
            problems.append(Diagnostic(waiver.position, "expired-waiver", message, hint, Severity.WARNING))
        else:
            open_waivers[waiver.position.file, waiver.rule] = waiver
    if not open_waivers:
        return [*diagnostics, *problems], []
    waived: list[Waived] = []
    used = set()
    for diagnostic in diagnostics:
        key = (diagnostic.position.file, diagnostic.rule)
        if key in open_waivers and _waivable(diagnostic):
            waived.append(Waived(diagnostic, open_waivers[key].reason))
            used.add(key)
        else:
            problems.append(diagnostic)
    problems.extend(_unused(waiver) for key, waiver in open_waivers.items() if key not in used)
    return problems, waived


def _waivable(diagnostic: Diagnostic) -> bool:
    rule = diagnostic.rule
    if diagnostic.severity is Severity.WARNING:
        return rule not in _OWN
    return rule in WAIVABLE_ERRORS or rule.startswith(POLICY)


def _unused(waiver: Waiver) -> Diagnostic:
    message = f"nothing in this file is waived by `{waiver.rule}`"
    hint = "remove it; only warnings, policies and memory checks can be waived"
    return Diagnostic(waiver.position, "unused-waiver", message, hint, Severity.WARNING)
