"""Outcomes for people: what became of each action, and the cause of each failure."""

from collections import Counter
from collections.abc import Sequence

from reconciler.apply.outcome import Outcome, Result
from reconciler.views.printable import cut, listed, log_line, printable
from reconciler.views.style import PLAIN, Style

_LOG_LINES = 20
"""Of a failure's log at most so many lines are shown, the last ones."""


def outcome_text(outcomes: Sequence[Outcome], style: Style = PLAIN) -> str:
    """A block for each outcome, then the summary line. Failures stand last, where they are read."""
    lines: list[str] = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.result.is_failure):
        lines += _outcome(outcome, style)
    return "\n".join([*lines, "", style.bold(outcome_summary(outcomes))]) + "\n"


def outcome_summary(outcomes: Sequence[Outcome]) -> str:
    """The last line: how many actions ended in which way."""
    counts = Counter(outcome.result for outcome in outcomes)
    parts = [f"{counts[result]} {result.value}" for result in Result if counts[result]]
    return f"Apply: {', '.join(parts)}" if parts else "Nothing to do: the cluster is as the registry says"


def replicas(outcome: Outcome) -> str:
    """The replica ids before and after; empty where there were and are none."""
    before, after = outcome.replicas_before, outcome.replicas_after
    if not before and not after:
        return ""
    if not before:
        return f"new replicas {listed(after)}"
    if not after:
        return f"replicas stopped {listed(before)}"
    if set(before) == set(after):
        return f"same replicas {listed(after)}"
    kept = [replica for replica in after if replica in before]
    if len(kept) == len(before):
        return f"same replicas {listed(kept)}, new ones {listed([one for one in after if one not in before])}"
    return f"replicas before {listed(before)}, after {listed(after)}"


def _outcome(outcome: Outcome, style: Style) -> list[str]:
    failed = outcome.result.is_failure
    paint = style.red if failed else style.green
    took = f" after {outcome.seconds:.1f} s" if outcome.seconds else ""
    lines = [f"{style.bold(printable(outcome.application))}: {paint(outcome.result.value)}{took}"]
    if outcome.message:
        lines.append(f"    {printable(outcome.message)}")
    if replicas(outcome):
        lines.append(f"    {replicas(outcome)}")
    if outcome.cause:
        lines.append(f"    cause: {printable(outcome.cause)}")
    if outcome.log_excerpt:
        lines.append("    from its log:")
        lines += [style.dim(f"      | {cut(log_line(line), 200)}") for line in outcome.log_excerpt[-_LOG_LINES:]]
    return lines
