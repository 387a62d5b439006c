"""Why a model failed: the likely cause, what to do about it, and the lines that prove it. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from reconciler.apply.causes import PATTERNS, Pattern
from reconciler.apply.evidence import lines_of
from reconciler.registry.mask import without_values

EVIDENCE_LINES = 8
_AROUND = 2
"""Lines shown after the one that proves the cause, unless the next traceback begins there."""

_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Timeout|Interrupt|Exit)\b(?::|$)")
_SECONDARY = re.compile(
    r"See root cause above|RayTaskError|ActorDiedError|RayActorError|: Traceback \(most recent call last\)"
)
"""Exceptions that only pass another one on."""
_NEXT = re.compile(r"^(?:Traceback \(most recent call last\)|Process \S+:$)")
"""How the traceback of another exception, or of a process that ends with it, begins."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely reason: a sentence, what would mend it, and the log lines that prove it, without secrets."""

    sentence: str
    advice: str
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.sentence}; {self.advice}"

    def without(self, values: Iterable[str]) -> "Cause":
        """The same without values that must not be shown."""
        hidden = tuple(values)
        return Cause(
            without_values(self.sentence, hidden),
            without_values(self.advice, hidden),
            tuple(without_values(line, hidden) for line in self.evidence),
        )


def diagnose(status_message: str, log_text: str) -> Cause:
    """The likely cause of a failure, from what Ray says about the application and from its replicas' logs.

    Known patterns are looked for first; without one, the last exception of the log, then of the message, is named.
    """
    said, logged = list(lines_of(status_message)), list(lines_of(log_text))
    for pattern in PATTERNS:
        for lines in (logged, said):
            cause = _match(pattern, lines)
            if cause is not None:
                return cause
    return _generic(said, logged)


def _match(pattern: Pattern, lines: Sequence[str]) -> Cause | None:
    for index, line in enumerate(lines):
        found = pattern.proof.search(line)
        if found:
            group = next((text for text in found.groups() if text), "")
            return Cause(
                pattern.sentence.format(group.strip()).rstrip(": "),
                pattern.advice.format(group.strip()),
                tuple(dict.fromkeys((line, *takewhile(_goes_on, lines[index + 1 : index + 1 + _AROUND])))),
            )
    return None


def _goes_on(line: str) -> bool:
    return not _NEXT.match(line)


def _generic(said: Sequence[str], logged: Sequence[str]) -> Cause:
    for lines in (logged, said):
        exceptions = [index for index, line in enumerate(lines) if _EXCEPTION.match(line)]
        primary = [index for index in exceptions if not _SECONDARY.search(lines[index])]
        if exceptions:
            last = (primary or exceptions)[-1]
            return Cause(lines[last], "its log has more", tuple(lines[max(last - EVIDENCE_LINES + 1, 0) : last + 1]))
    return Cause(
        said[0] if said else "Ray gives no reason",
        "look at the logs of its replicas in the Ray dashboard",
        tuple(logged[-EVIDENCE_LINES:]),
    )
