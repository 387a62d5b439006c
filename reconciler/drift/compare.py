"""Comparing what should be, what was applied and what is into a DriftReport.

Only what nobody asked for is drift: a replica count that the autoscaler chose within its bounds is not, nor is an
application on its way to the registry's config.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.diagnostics import Position
from reconciler.drift.applied import Applied
from reconciler.drift.configuration import differs, missing, orphaned, unmanaged
from reconciler.drift.expected import expected
from reconciler.drift.fleet import fleet
from reconciler.drift.health import ill, out_of_bounds
from reconciler.drift.ignore import IgnoreRule, ignore
from reconciler.drift.infrastructure import infrastructure
from reconciler.drift.report import SUBMITTED, DriftReport, Expected, Finding, FindingKind
from reconciler.drift.running import adapters, in_effect, routes, running, versions, weights
from reconciler.plan.match import difference, is_owned
from reconciler.state.accelerators import accelerators
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.way_back import rollback_words, standing_rollback
from reconciler.state.work import UnknownWork, Work

NOT_ASKED = UnknownWork("nobody was asked")

_ORDER = {kind: rank for rank, kind in enumerate(FindingKind)}


@dataclass(frozen=True, slots=True)
class Background:
    """What a report rests on beside the registry and the cluster; with nothing of it less can be told apart."""

    applies: Sequence[Applied] = ()
    """The applies that the cluster remembers and git could compile again, newest first."""
    rules: Sequence[IgnoreRule] = ()
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    """Ray's default of each deployment option."""
    work: Work | UnknownWork = NOT_ASKED
    """What the replicas say they run."""
    checked: Mapping[str, str] = field(default_factory=dict)
    """The version of each library that the registry is checked against, by its name."""
    registry_commit: str | None = None
    time: str | None = None
    """Now, ISO 8601 with a time zone."""


def find_drift(desired: DesiredState, live: LiveState, background: Background | None = None) -> DriftReport:
    """Everything on the cluster that is not as the registry says, sorted by application."""
    background = background or Background()
    present = {entry.name: entry for entry in live.applications if entry.status is not ApplicationStatus.DELETING}
    wanted = {entry.name: entry for entry in desired.applications}
    found: list[Finding] = []
    explained: list[Expected] = []
    for entry in desired.applications:
        found += _wanted(entry, present.get(entry.name), desired.owner, live, background, explained)
    for name, there in present.items():
        if not is_owned(there, desired.owner):
            found.append(unmanaged(there))
        elif name not in wanted:
            found.append(orphaned(there, background.applies))
    found += infrastructure(desired, live)
    kept, ignored = ignore(found, background.rules)
    findings = tuple(sorted(kept, key=lambda finding: (finding.application, _ORDER[finding.kind])))
    adrift = {finding.application for finding in findings}
    last = background.applies[0] if background.applies else None
    return DriftReport(
        cluster=desired.cluster,
        findings=findings,
        in_sync=tuple(sorted(name for name in wanted if name not in adrift)),
        expected=tuple(explained),
        ignored=tuple(ignored),
        fleet=fleet(desired, live, findings, {name: running(name, background.work) for name in wanted}),
        accelerators=accelerators(desired, live),
        applied_commit=last.commit if last else None,
        applied_time=last.time if last else None,
        registry_commit=background.registry_commit,
        ray_version=live.ray_version,
        time=background.time,
        notes=(*_after_rollback(findings, live, desired.owner), *_not_known(background.work)),
    )


def _after_rollback(findings: Sequence[Finding], live: LiveState, owner: str) -> Iterator[str]:
    record = standing_rollback(live, owner)
    if record is not None and any(finding.kind in SUBMITTED for finding in findings):
        yield f"{rollback_words(record)}; what differs may be just that, and `reconcile apply` would undo it"


def _not_known(work: Work | UnknownWork) -> Iterator[str]:
    if isinstance(work, UnknownWork) and work is not NOT_ASKED:
        yield f"which versions and weights the replicas run is not known: {work.reason}"


def _wanted(
    entry: DesiredApplication,
    there: LiveApplication | None,
    owner: str,
    live: LiveState,
    background: Background,
    explained: list[Expected],
) -> Iterator[Finding]:
    position: Position | None = entry.model.position() if entry.model else None
    if there is None or not is_owned(there, owner):
        yield missing(entry, there, position, background.applies)
        return
    change = difference(entry, there, live)
    by_default, unexplained = expected(entry, there, change, live, background.defaults)
    explained += by_default
    if unexplained.fields:
        yield differs(entry, there, unexplained, live, background.applies)
    yield from ill(there, position, bool(unexplained.fields))
    if not any(_is_bound(field.path) for field in unexplained.fields):
        yield from out_of_bounds(entry, there, live, position)
    yield from in_effect(there, position)
    if entry.model is None:
        yield from routes(there, background.work)
        return
    runs = running(entry.name, background.work)
    yield from versions(entry, runs, background.checked)
    yield from weights(entry, runs)
    yield from adapters(entry, background.work)


def _is_bound(path: str) -> bool:
    """Whether a field decides how many replicas there may be, so that its difference explains their number."""
    return path.endswith(("_replicas", ".autoscaling_config"))
