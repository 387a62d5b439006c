"""What was applied to a cluster, for people, newest first."""

from reconciler.state.provenance import Names, Record
from reconciler.state.way_back import last_whole
from reconciler.views.applied import Applied
from reconciler.views.moment import moment
from reconciler.views.printable import listed, printable
from reconciler.views.style import PLAIN, Style


def history_text(applied: Applied, style: Style = PLAIN) -> str:
    """A block for each apply, what runs now, and what was merged since."""
    blocks = [[style.bold(f"cluster {printable(applied.cluster)}")]]
    blocks += [_record(number, record, applied, style) for number, record in enumerate(applied.records)]
    if applied.records:
        blocks.append([_now(applied, style)])
        blocks.append(_since(applied))
    else:
        blocks.append(["no apply of this registry is remembered on the cluster"])
    if applied.trouble:
        blocks.append([f"{style.yellow('note')}: {printable(applied.trouble)}"])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _record(number: int, record: Record, applied: Applied, style: Style) -> list[str]:
    paint = style.green if record.ended_well else style.yellow if record.counts is None else style.red
    mark = style.bold("  <- runs now") if number == applied.now else ""
    who = printable(record.who or "somebody")
    lines = [f"{moment(record.time)}  {_deed(record)} by {who}: {paint(_result(record))}{mark}"]
    if record.commit:
        lines.append(f"    {printable(applied.subjects.get(record.commit, '(a commit that is not in this clone)'))}")
    if record.models:
        lines.append(f"    only {_names(record.models)}")
    if record.failed:
        lines.append(f"    failed: {_names(record.failed)}")
    return lines


def _deed(record: Record) -> str:
    commit = f"commit {record.commit[:12]}" if record.commit else "a registry outside git"
    dirty = " with uncommitted changes" if record.commit and record.dirty else ""
    if not record.is_rollback:
        return f"{commit}{dirty}"
    start = f" from {record.rolled_back_from[:12]}" if record.rolled_back_from else ""
    return f"rolled back{start} to {commit}"


def _result(record: Record) -> str:
    if record.counts is None:
        return "begun; it did not come to its end, or is under way"
    return ", ".join(f"{count} {printable(result)}" for result, count in record.counts.items()) or "nothing to do"


def _names(names: Names) -> str:
    return listed(names.names) + (f" and {names.more} more" if names.more else "")


def _now(applied: Applied, style: Style) -> str:
    if applied.now == 0:
        return "runs now: what the last apply left"
    if applied.now is not None:
        text = f"runs now: what the apply of {moment(applied.records[applied.now].time)} left"
        return style.yellow(f"{text}; somebody has changed the cluster since the last one")
    if applied.records[0].left is None:
        return style.yellow("runs now: perhaps only a part of the last apply; `reconcile plan` says what is left to do")
    return style.yellow("runs now: something else than the last apply left; `reconcile drift` says what differs")


def _since(applied: Applied) -> list[str]:
    if applied.since is None:
        return []
    commit = (last_whole(applied.records) or "")[:12]
    if not applied.since:
        return [f"merged since commit {commit}: nothing that touches the registry"]
    lines = [f"merged since commit {commit}; `reconcile plan` says what of it is not applied:"]
    lines += [f"    {each.commit[:12]}  {printable(each.subject)}" for each in applied.since]
    return [*lines, "    and earlier ones"] if applied.more_since else lines
