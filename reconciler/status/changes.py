"""What changed between two looks at a cluster, for a log: one line for each application."""

from collections.abc import Iterator

from reconciler.plan.text import first_line, plural
from reconciler.status.report import ApplicationReport, Load, StatusReport


def changes(before: StatusReport, after: StatusReport) -> list[str]:
    """A sentence for each application that is not as it was, and for the nodes. Times that pass are no change."""
    earlier = {entry.name: entry for entry in before.applications}
    later = {entry.name: entry for entry in after.applications}
    lines = []
    for name in dict.fromkeys((*later, *earlier)):
        parts = list(_application(earlier.get(name), later.get(name)))
        if parts:
            lines.append(f"{name}: {'; '.join(parts)}")
    parts = list(_nodes(before, after))
    if parts:
        lines.append(f"nodes: {'; '.join(parts)}")
    if before.untold != after.untold:
        told = "the replicas say again what they have to do"
        lines.append(f"what the replicas have to do is not known: {after.untold}" if after.untold else told)
    return lines


def first_look(report: StatusReport) -> list[str]:
    """A sentence for each application, to begin with."""
    return [f"{entry.name}: {'; '.join(_whole(entry))}" for entry in report.applications]


def _whole(entry: ApplicationReport) -> Iterator[str]:
    yield _status(entry)
    if entry.status is not None:
        yield f"{entry.running} of {plural(entry.target, 'replica')} run"
    if entry.load is not None:
        yield f"{plural(entry.load.requests, 'request')}, {entry.load.ongoing} in flight"


def _application(before: ApplicationReport | None, after: ApplicationReport | None) -> Iterator[str]:
    if before is None or after is None:
        yield from _whole(after) if after is not None else ("gone",)
        return
    if (before.status, before.message) != (after.status, after.message):
        was = "" if before.status is after.status else f", was {_word(before)}"
        yield f"{_word(after)}{was}{_because(after)}"
    if (before.running, before.target) != (after.running, after.target):
        yield f"{after.running} of {plural(after.target, 'replica')} run, was {before.running} of {before.target}"
    yield from _replicas(before, after)
    if before.load is not None and after.load is not None:
        yield from _load(before.load, after.load)


def _replicas(before: ApplicationReport, after: ApplicationReport) -> Iterator[str]:
    earlier, later = _states(before), _states(after)
    for replica_id in dict.fromkeys((*later, *earlier)):
        was, now = earlier.get(replica_id), later.get(replica_id)
        if was != now:
            yield f"{replica_id} {now or 'gone'}"


def _states(entry: ApplicationReport) -> dict[str, str]:
    return {replica.replica_id: replica.state for deployment in entry.deployments for replica in deployment.replicas}


def _load(before: Load, after: Load) -> Iterator[str]:
    # Replicas that stopped took their counts along, so the sum may also shrink.
    more = after.requests - before.requests
    if more > 0 or before.ongoing != after.ongoing:
        came = f"{plural(more, 'more request')}, " if more > 0 else ""
        yield f"{came}{after.ongoing} in flight"


def _nodes(before: StatusReport, after: StatusReport) -> Iterator[str]:
    earlier, later = ({node.node_id for node in report.nodes} for report in (before, after))
    yield from (f"{node_id[:12]} joined" for node_id in sorted(later - earlier))
    yield from (f"{node_id[:12]} gone" for node_id in sorted(earlier - later))


def _status(entry: ApplicationReport) -> str:
    return f"{_word(entry)}{_because(entry)}"


def _word(entry: ApplicationReport) -> str:
    return entry.status.value if entry.status is not None else "not there"


def _because(entry: ApplicationReport) -> str:
    line = first_line(entry.message)
    return f" ({line})" if line else ""
