"""Differences in what was submitted: fields, applications that are missing, and those that nobody wants."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.diagnostics import Position
from reconciler.drift.applied import Applied, last_for, moved
from reconciler.drift.report import Finding, FindingKind, Origin, Severity
from reconciler.plan.change import Change
from reconciler.plan.text import plural
from reconciler.state.desired import DesiredApplication
from reconciler.state.live import LiveApplication, LiveState

_REMEDIES = {
    Origin.CLUSTER: "`reconcile apply` brings the registry's back; `reconcile drift --accept` keeps what is live",
    Origin.REGISTRY: "`reconcile apply` carries out what was merged",
    Origin.BOTH: "look at both: `reconcile apply` overwrites what is live, `reconcile drift --accept` keeps it",
    Origin.UNKNOWN: "`reconcile apply` brings the registry's values; `reconcile drift --accept` keeps what is live",
}
_WHO = {
    Origin.CLUSTER: "changed on the cluster behind the registry's back",
    Origin.REGISTRY: "merged and not applied yet",
    Origin.BOTH: "changed on the cluster and in the registry",
    Origin.UNKNOWN: "changed on the cluster or in the registry",
}
_SEVERITIES = {Origin.BOTH: Severity.ERROR, Origin.REGISTRY: Severity.NOTE}


def differs(
    entry: DesiredApplication, there: LiveApplication, change: Change, live: LiveState, applies: Sequence[Applied]
) -> Finding:
    """An application of ours whose submitted config is not the registry's."""
    found = moved(entry, there, change, applies, live)
    return Finding(
        FindingKind.CONFIG,
        entry.name,
        f"{plural(len(change.fields), 'field')} {_WHO[found.origin]}",
        _REMEDIES[found.origin],
        _SEVERITIES.get(found.origin, Severity.WARNING),
        found.origin,
        found.fields,
        entry.model.position() if entry.model else None,
        None if found.origin is Origin.REGISTRY else _deployed(there),
    )


def missing(
    entry: DesiredApplication, there: LiveApplication | None, position: Position | None, applies: Sequence[Applied]
) -> Finding:
    """An application that the registry wants and the cluster does not have; `there` is a namesake of somebody else."""
    if there is not None:
        return Finding(
            FindingKind.MISSING,
            entry.name,
            "is not on the cluster: an application of somebody else has its name",
            "delete that application, or give the model another `model_id`",
            Severity.ERROR,
            Origin.UNKNOWN,
            position=position,
        )
    last = last_for(entry.name, applies)
    if last is None:
        origin, what = Origin.UNKNOWN, "is not on the cluster"
    elif last.desired.application(entry.name) is None:
        origin, what = Origin.REGISTRY, "is merged and not on the cluster yet"
    else:
        origin, what = Origin.CLUSTER, "was applied and is not on the cluster any more"
    severity = Severity.NOTE if origin is Origin.REGISTRY else Severity.ERROR
    remedy = "`reconcile apply` creates it"
    return Finding(FindingKind.MISSING, entry.name, what, remedy, severity, origin, position=position)


def orphaned(there: LiveApplication, applies: Sequence[Applied]) -> Finding:
    """An application of ours that the registry does not call for."""
    last = last_for(there.name, applies)
    remedy = "`reconcile apply` deletes it; to keep it, bring its model file back"
    if last is None:
        origin, what = Origin.UNKNOWN, "is ours, and the registry does not call for it"
    elif last.desired.application(there.name) is None:
        origin, what = Origin.CLUSTER, "carries our mark, and no commit that was applied calls for it"
        remedy = "`reconcile import live` writes its model file; `reconcile apply` deletes it"
    else:
        origin, what = Origin.REGISTRY, "is no longer in the registry, and its deletion is not applied yet"
    severity = Severity.NOTE if origin is Origin.REGISTRY else Severity.WARNING
    since = _deployed(there) if origin is Origin.CLUSTER else None
    return Finding(FindingKind.ORPHANED, there.name, what, remedy, severity, origin, since=since)


def unmanaged(there: LiveApplication) -> Finding:
    """An application of somebody else."""
    owner = there.application.owner if there.application else None
    whose = f"belongs to `{owner}`" if owner else "deployed by somebody else"
    return Finding(
        FindingKind.UNMANAGED,
        there.name,
        whose,
        "nothing to do: what is not ours is never changed; `reconcile import live` writes files for its models",
        Severity.NOTE,
        since=_deployed(there),
    )


def _deployed(there: LiveApplication) -> str | None:
    """When Ray last took a config, be it the same for this application: what is live has been so since then or longer
    (`ray.serve._private.application_state`, `deployment_timestamp`, 2.60)."""
    if not there.last_deployed_s:
        return None
    return datetime.fromtimestamp(there.last_deployed_s, UTC).isoformat(timespec="seconds")
