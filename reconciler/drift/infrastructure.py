"""The cluster under the applications: its Ray, and nodes and accelerators that should be there."""

from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler.drift.report import DriftField, Finding, FindingKind, Origin, Severity, observed
from reconciler.plan.impact import is_proven
from reconciler.plan.rules import PROVEN_RAY
from reconciler.plan.text import plural
from reconciler.state.accelerators import ACCELERATOR, accelerator_of
from reconciler.state.desired import DesiredState
from reconciler.state.elastic import nodes_by_type
from reconciler.state.live import LiveState, LostNode

_NAMED = 5
"""Lost nodes that a finding names."""


def infrastructure(desired: DesiredState, live: LiveState) -> Iterator[Finding]:
    """Another Ray than the one the rules are proven for, nodes that are gone, and accelerator types that models ask for
    and no node has."""
    if not is_proven(live.ray_version):
        yield _finding(
            f"Ray {live.ray_version} runs there; the rules of this reconcile are proven for {PROVEN_RAY}",
            "use the reconcile that knows this Ray; until then plans expect the worst",
            Severity.WARNING,
            observed("ray_version", live.ray_version, f"{PROVEN_RAY}.x"),
        )
    if live.lost:
        yield _lost(live.lost)
    yield from _too_few(desired, live)
    there = {name for node in live.nodes for name, amount in node.total.items() if amount}
    asking: dict[str, list[str]] = {}
    for entry in desired.applications:
        for resource in entry.bundles.total:
            if resource.startswith(ACCELERATOR) and resource not in there:
                asking.setdefault(resource.removeprefix(ACCELERATOR), []).append(entry.name)
    for kind, names in sorted(asking.items()):
        yield _finding(
            f"no node has an accelerator of the type `{kind}`, which {', '.join(f'`{name}`' for name in names)} "
            f"{'asks' if len(names) == 1 else 'ask'} for",
            "bring such nodes back, or change `accelerator_type` in the model file",
            Severity.ERROR,
            observed(f"accelerators.{kind}", 0, None),
        )


def _finding(message: str, remedy: str, severity: Severity, different: DriftField, since: str | None = None) -> Finding:
    return Finding(FindingKind.CLUSTER, "", message, remedy, severity, Origin.CLUSTER, fields=(different,), since=since)


def _lost(lost: tuple[LostNode, ...]) -> Finding:
    named = "; ".join(f"`{one.node_id[:12]}` ({_what(one)})" for one in lost[:_NAMED])
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    times = [one.lost_s for one in lost if one.lost_s]
    since = datetime.fromtimestamp(min(times), UTC).isoformat(timespec="seconds") if times else None
    return _finding(
        f"{plural(len(lost), 'node')} lost and not replaced: {named}{more}",
        "bring the nodes back, or take them out of the cluster for good",
        Severity.WARNING,
        observed("nodes.lost", len(lost), 0),
        since,
    )


def _what(one: LostNode) -> str:
    gpus = one.total.get("GPU", 0.0)
    kind = accelerator_of(one.total)
    has = f"{gpus:g} {kind or 'GPU'}" if gpus else one.node_type or ""
    return ", ".join(part for part in (one.address, has, one.why) if part)


def _too_few(desired: DesiredState, live: LiveState) -> Iterator[Finding]:
    """Fewer nodes of a type than the cluster file says are always there."""
    there = nodes_by_type(desired.node_types, live.nodes)
    for kind in desired.node_types:
        if there[kind.name] < kind.least:
            yield _finding(
                f"{plural(there[kind.name], 'node')} of the type `{kind.name}` alive; the cluster file says at least "
                f"{kind.least}",
                "bring the nodes back, or correct `min_workers` in the cluster file",
                Severity.WARNING,
                observed(f"nodes.{kind.name}", there[kind.name], kind.least),
            )
