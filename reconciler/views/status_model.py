"""One application of a StatusReport for people, with all that is known of each replica."""

import re
from collections.abc import Sequence

from reconciler.plan.text import duration
from reconciler.state.work import About, Adapter
from reconciler.status.report import ApplicationReport, DeploymentReport, ReplicaReport, StatusReport
from reconciler.views.moment import moment
from reconciler.views.printable import log_line, plural, printable
from reconciler.views.resources import resources
from reconciler.views.status_text import NOT_KNOWN, Surroundings, since_last, since_last_of, word
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HEAD = ("replica", "state", "node", "since", "in flight", "free", "requests", "last request")


def status_model(
    report: StatusReport, entry: ApplicationReport, style: Style = PLAIN, around: Surroundings | None = None
) -> str:
    """Everything about the application."""
    around = around or Surroundings()
    mine = "" if entry.ours else "  (not ours)"
    lines = [f"{style.bold(printable(entry.name))}  {word(entry)}{mine}"]
    if entry.model_id is not None:
        where = f", {printable(str(entry.position))}" if entry.position else ""
        lines.append(f"    model {printable(entry.model_id)}{where}")
    lines += [f"    {log_line(line)}" for line in entry.message.strip().splitlines()]
    blocks = [lines, *(_deployment(deployment, style) for deployment in entry.deployments)]
    if entry.unlisted:
        blocks.append([f"of an earlier version, serving on: {', '.join(printable(one) for one in entry.unlisted)}"])
    blocks.append(_load(report, entry, style))
    blocks.append([one for one in (around.last_apply, style.yellow(around.lease) if around.lease else "") if one])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _deployment(deployment: DeploymentReport, style: Style) -> list[str]:
    lines = [
        f"{style.bold(printable(deployment.name))}  {printable(deployment.status)}  "
        f"{deployment.running} of {plural(deployment.target, 'replica')} running"
    ]
    if deployment.resources:
        lines.append(f"    each takes {resources(deployment.resources)}")
    if deployment.max_ongoing is not None:
        spread = f", spread by {_words(deployment.router)}" if deployment.router else ""
        lines.append(f"    each takes {plural(deployment.max_ongoing, 'request')} at a time{spread}")
    lines += [f"    {log_line(line)}" for line in deployment.message.strip().splitlines()]
    if deployment.replicas:
        rows: list[Sequence[str]] = [tuple(style.dim(cell) for cell in _HEAD)]
        rows += [_row(deployment, replica) for replica in deployment.replicas]
        lines += table(rows, indent="    ", right=(4, 5, 6))
    told: dict[str, list[str]] = {}
    for replica in deployment.replicas:
        if replica.work is not None and replica.work.about is not None:
            told.setdefault(_runs(replica.work.about), []).append(printable(replica.replica_id))
    lines += [f"    runs {what}" + (f" ({', '.join(who)})" if len(told) > 1 else "") for what, who in told.items()]
    return lines


def _row(deployment: DeploymentReport, replica: ReplicaReport) -> tuple[str, ...]:
    work = replica.work
    free = NOT_KNOWN
    if work is not None and deployment.max_ongoing is not None:
        free = str(max(deployment.max_ongoing - work.ongoing, 0))
    return (
        printable(replica.replica_id),
        printable(replica.state),
        printable((replica.node_id or "")[:12]),
        moment(replica.since) if replica.since else "",
        NOT_KNOWN if work is None else str(work.ongoing),
        free,
        NOT_KNOWN if work is None else str(work.requests),
        since_last_of(replica),
    )


def _runs(about: About) -> str:
    """Such as `vllm 0.29.0, ray 2.60.0, weights org/model at 0123456789ab`."""
    parts = [f"{printable(name)} {printable(version)}" for name, version in about.versions.items()]
    weights = about.weights
    if weights is not None and weights.source is not None:
        revision = f" at {printable(weights.revision[:12])}" if weights.revision else ""
        parts.append(f"weights {printable(weights.source)}{revision}")
    return ", ".join([*parts, *(_adapter(name, one) for name, one in about.adapters.items())])


def _adapter(name: str, one: Adapter) -> str:
    revision = f" at {printable(one.revision[:12])}" if one.revision else ""
    reason = f": {log_line(one.reason)}" if one.reason else ""
    return f"adapter {printable(name)} {printable(one.state)}{revision}{reason}"


def _load(report: StatusReport, entry: ApplicationReport, style: Style) -> list[str]:
    load = entry.load
    if load is not None:
        idle = max(entry.running - load.busy, 0)
        limit = f" of {entry.capacity}" if entry.capacity is not None else ""
        counts = f"{load.busy} busy, {idle} idle; {load.ongoing}{limit} in flight; {plural(load.requests, 'request')}"
        latest = f"; the last one {since_last(entry)}" if not load.ongoing and not load.idle_for_longer else ""
        never = f" in {duration(load.idle_s)}" if load.idle_for_longer else ""
        return [f"{counts}{never}{latest}"]
    if entry.untold is not None and entry.running:
        return [f"{style.yellow('note')}: requests are not known: {printable(report.untold or entry.untold)}"]
    return []


def _words(router: str) -> str:
    """`PowerOfTwoChoicesRequestRouter` as `power of two choices`."""
    name = router.removesuffix("Router").removesuffix("Request") or router
    return printable(_HUMP.sub(" ", name).lower())
