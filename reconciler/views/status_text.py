"""A LiveState for people: the applications with their replicas, and what the nodes have."""

from collections.abc import Sequence

from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.views.last_apply import last_apply, last_apply_text
from reconciler.views.printable import cut, log_line, plural, printable
from reconciler.views.resources import amount, interesting, ordered
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table

_HEALTHY = (ApplicationStatus.RUNNING,)
_BROKEN = (ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY)


def status_text(live: LiveState, applications: Sequence[LiveApplication], owner: str, style: Style = PLAIN) -> str:
    """The given applications, ours first, then the nodes. `owner` names the registry whose applications are ours."""
    ours = [application for application in applications if _owner(application) == owner]
    others = [application for application in applications if _owner(application) != owner]
    blocks = [_application(application, style, "") for application in ours]
    blocks += [_application(application, style, "not ours") for application in others]
    if not applications:
        blocks.append(["no applications"])
    record = last_apply(live, owner)
    if record is not None:
        blocks.append([last_apply_text(record)])
    blocks.append(_nodes(live, style))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _application(application: LiveApplication, style: Style, remark: str) -> list[str]:
    status = application.status
    paint = style.green if status in _HEALTHY else style.red if status in _BROKEN else style.yellow
    heading = f"{style.bold(printable(application.name))}  {paint(status.value)}"
    if remark:
        heading += f"  ({remark})"
    lines = [heading]
    if application.message and status not in _HEALTHY:
        lines += [f"    {cut(log_line(line), 160)}" for line in application.message.strip().splitlines()[:6]]
    for deployment in application.deployments:
        running = len(deployment.running)
        lines.append(
            f"    {printable(deployment.name)}  {printable(deployment.status)}  "
            f"{running} of {plural(deployment.target_num_replicas, 'replica')} running"
        )
        rows = [(printable(replica.replica_id), printable(replica.state)) for replica in deployment.replicas]
        lines += table(sorted(rows), indent="        ")
    return lines


def _nodes(live: LiveState, style: Style) -> list[str]:
    lines = [style.bold(f"{plural(len(live.nodes), 'node')}, Ray {printable(live.ray_version)}, in use / in all")]
    rows = []
    for node in live.nodes:
        total = interesting(node.total)
        uses = [
            f"{printable(name)} {amount(name, node.used.get(name, 0.0))} / {amount(name, total[name])}"
            for name in ordered(total)
        ]
        rows.append((printable(node.node_id[:12]), "  ".join(uses)))
    return lines + table(rows, indent="    ")


def _owner(application: LiveApplication) -> str | None:
    return application.application.owner if application.application else None
