"""Findings that the registry says to leave alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from reconciler.drift.report import DriftField, Finding, Ignored


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One entry of `drift.ignore` in a cluster file that holds today. Patterns are those of shells (`*`, `?`)."""

    application: str
    path: str | None
    """Of fields, or the kind of a finding that has none; None ignores the application's findings altogether."""
    reason: str


def ignore(findings: Iterable[Finding], rules: Sequence[IgnoreRule]) -> tuple[list[Finding], list[Ignored]]:
    """The findings that stay and those that are ignored, a finding split where only some of its fields are."""
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        rest: Finding | None = finding
        for rule in rules:
            if rest is not None and fnmatchcase(rest.application, rule.application):
                rest, gone = _split(rest, rule)
                if gone is not None:
                    ignored.append(Ignored(gone, rule.reason))
        if rest is not None:
            kept.append(rest)
    return kept, ignored


def _split(finding: Finding, rule: IgnoreRule) -> tuple[Finding | None, Finding | None]:
    """What stays of a finding, and what the rule takes from it."""
    if rule.path is None:
        return None, finding
    if not finding.fields:
        return (None, finding) if fnmatchcase(finding.kind.value, rule.path) else (finding, None)
    taken = tuple(field for field in finding.fields if _matches(field, rule.path))
    if not taken:
        return finding, None
    left = tuple(field for field in finding.fields if field not in taken)
    return replace(finding, fields=left) if left else None, replace(finding, fields=taken)


def _matches(field: DriftField, pattern: str) -> bool:
    # Paths hold brackets, which fnmatch would take for sets of characters.
    return fnmatchcase(field.change.path, pattern.replace("[", "[[]"))
