"""A StatusReport for people: a table of all applications with their replicas, and what the nodes have."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.plan.text import duration
from reconciler.state.accelerators import ANY_TYPE, accelerator_of
from reconciler.state.live import ApplicationStatus
from reconciler.status.report import ApplicationReport, DeploymentReport, ReplicaReport, StatusReport
from reconciler.views.printable import cut, log_line, plural, printable
from reconciler.views.resources import amount, interesting, ordered
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table

NOT_KNOWN = "?"
NOT_THERE = "not there"

_BROKEN = (ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY)
_HEAD = ("application", "status", "replicas", "GPUs", "in flight", "requests", "last request")
_MESSAGE_LINES = 6


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is to say beside the report, in words that may be empty."""

    last_apply: str = ""
    lease: str = ""
    """Who writes to the cluster now."""


def status_text(report: StatusReport, style: Style = PLAIN, around: Surroundings | None = None) -> str:
    """Everything."""
    around = around or Surroundings()
    blocks = [[heading(report, style)], applications(report.applications, style)]
    blocks.append([*notes(report, style), *([around.last_apply] if around.last_apply else [])])
    blocks.append([style.yellow(around.lease)] if around.lease else [])
    blocks.append(gpus(report))
    blocks.append(_nodes(report, style))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def heading(report: StatusReport, style: Style = PLAIN) -> str:
    """The cluster, and how many applications stand how."""
    counts = Counter(word(entry) for entry in report.applications)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda one: -one[1]))
    where = f"cluster {printable(report.cluster)}, Ray {printable(report.ray_version)}"
    return style.bold(f"{where}, {plural(len(report.applications), 'application')}" + (f": {told}" if told else ""))


def applications(
    entries: Sequence[ApplicationReport],
    style: Style = PLAIN,
    *,
    with_replicas: bool = True,
    with_messages: bool = True,
    name_width: int = 60,
) -> list[str]:
    """The table, each application followed by its replicas and by what is wrong with it."""
    rows: list[Sequence[str] | str] = [tuple(style.dim(cell) for cell in _HEAD)]
    for entry in entries:
        rows.append(_row(entry, name_width, style))
        if with_messages and is_broken(entry):
            rows += [f"  {line}" for line in messages(entry)]
        if with_replicas:
            rows += [
                _replica_row(deployment, one, style) for deployment in entry.deployments for one in deployment.replicas
            ]
            rows += [(f"  {printable(one)}", "serves", "earlier version") for one in entry.unlisted]
    aligned = iter(table([row for row in rows if not isinstance(row, str)], right=(4, 5)))
    return [row if isinstance(row, str) else next(aligned) for row in rows]


def word(entry: ApplicationReport) -> str:
    """How it stands: Ray's word where it is on the cluster."""
    return entry.status.value if entry.status is not None else NOT_THERE


def is_broken(entry: ApplicationReport) -> bool:
    """Whether Ray says that something is wrong."""
    return entry.status in _BROKEN


def messages(entry: ApplicationReport) -> list[str]:
    """What Ray says about it, on a few short lines."""
    return [cut(log_line(line), 160) for line in entry.message.strip().splitlines()[:_MESSAGE_LINES]]


def notes(report: StatusReport, style: Style = PLAIN) -> list[str]:
    """Why the load of all or of some is not known."""
    if report.untold is not None:
        return [f"{style.yellow('note')}: requests are not known: {printable(report.untold)}"]
    reasons: dict[str, list[str]] = {}
    for entry in report.applications:
        if entry.untold is not None and entry.running:
            reasons.setdefault(entry.untold, []).append(printable(entry.name))
    return [
        f"{style.yellow('note')}: requests of {', '.join(names)} are not known: {printable(reason)}"
        for reason, names in reasons.items()
    ]


def gpus(report: StatusReport) -> list[str]:
    """The GPUs by type, one line each."""
    rows = []
    for one in report.accelerators:
        wanted = f"{amount('GPU', one.wanted)}"
        if one.ceiling != one.wanted:
            wanted += f" to {amount('GPU', one.ceiling)}"
        use = f"{amount('GPU', one.used)} of {amount('GPU', one.total)} in use"
        rows.append(
            ("GPUs" if one.type == ANY_TYPE else f"GPUs {printable(one.type)}", use, f"the registry wants {wanted}")
        )
    return table(rows)


def gpu_cell(entry: ApplicationReport) -> str:
    """The GPUs that its replicas hold, such as `2 L4`; empty where they hold none."""
    held = 0.0
    kind: str | None = None
    for deployment in entry.deployments:
        placed = sum(replica.node_id is not None for replica in deployment.replicas)
        held += deployment.resources.get("GPU", 0.0) * placed
        kind = kind or accelerator_of(deployment.resources)
    return f"{amount('GPU', held)} {printable(kind or ANY_TYPE)}" if held else ""


def since_last(entry: ApplicationReport) -> str:
    """When its latest request was, as seen from now."""
    load = entry.load
    if load is None:
        return _unknown(entry)
    if load.ongoing:
        return "now"
    return f"none for {duration(load.idle_s)}" if load.idle_for_longer else f"{duration(load.idle_s)} ago"


def _row(entry: ApplicationReport, name_width: int, style: Style) -> tuple[str, ...]:
    status = entry.status
    paint = style.green if status is ApplicationStatus.RUNNING else style.red
    if status in (ApplicationStatus.DEPLOYING, ApplicationStatus.NOT_STARTED, ApplicationStatus.DELETING):
        paint = style.yellow
    name = style.bold(cut(printable(entry.name), name_width))
    load = entry.load
    flying = _unknown(entry) if load is None else str(load.ongoing)
    if flying and entry.capacity is not None and load is not None:
        flying += f" of {entry.capacity}"
    return (
        name if entry.ours else f"{name} (not ours)",
        paint(word(entry)),
        f"{entry.running} of {entry.target}" if status is not None else "",
        gpu_cell(entry),
        flying,
        _unknown(entry) if load is None else str(load.requests),
        since_last(entry),
    )


def _unknown(entry: ApplicationReport) -> str:
    return NOT_KNOWN if entry.untold is not None and entry.running else ""


def _replica_row(deployment: DeploymentReport, replica: ReplicaReport, style: Style) -> tuple[str, ...]:
    cells = (f"  {printable(replica.replica_id)}", printable(replica.state), "", "")
    if replica.work is None:
        return cells
    limit = "" if deployment.max_ongoing is None else f" of {deployment.max_ongoing}"
    return (*cells, f"{replica.work.ongoing}{limit}", str(replica.work.requests), since_last_of(replica))


def since_last_of(replica: ReplicaReport) -> str:
    """When its latest request began."""
    work = replica.work
    if work is None:
        return NOT_KNOWN
    return f"none for {duration(work.watched_s)}" if work.last_s is None else f"{duration(work.last_s)} ago"


def _nodes(report: StatusReport, style: Style) -> list[str]:
    lines = [style.bold(f"{plural(len(report.nodes), 'node')}, in use / in all")]
    rows = []
    for node in report.nodes:
        total = interesting(node.total)
        uses = [
            f"{printable(name)} {amount(name, node.used.get(name, 0.0))} / {amount(name, total[name])}"
            for name in ordered(total)
        ]
        rows.append((printable(node.node_id[:12]), "  ".join(uses)))
    return lines + table(rows, indent="    ")
