"""Three states: what was applied, what the registry says now, and what is live."""

from dataclasses import replace

from hypothesis import given

from reconciler.drift.applied import Applied
from reconciler.drift.compare import Background, find_drift
from reconciler.drift.report import DriftReport, Finding, FindingKind, Origin, Severity, Standing
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState
from tests.support.states import deployed, desired, model
from tests.support.strategies import registries


def requests(count: int, queued: int = -1) -> DesiredState:
    return desired(model("org/a", deployment={"max_ongoing_requests": count, "max_queued_requests": queued}))


def applied(*states: DesiredState) -> Background:
    """These were applied, the newest first."""
    return Background(tuple(Applied(f"{index}" * 40, f"2026-05-0{9 - index}", one) for index, one in enumerate(states)))


def compare(now: DesiredState, live: DesiredState, *states: DesiredState) -> DriftReport:
    return find_drift(now, deployed(live), applied(*states))


def only(report: DriftReport) -> Finding:
    [finding] = report.findings
    return finding


def test_what_somebody_changed_on_the_cluster_is_told_from_a_merge() -> None:
    report = compare(requests(8), requests(9), requests(8))
    finding = only(report)
    assert (finding.origin, finding.severity) == (Origin.CLUSTER, Severity.WARNING)
    assert finding.message == "1 field changed on the cluster behind the registry's back"
    assert (finding.fields[0].applied, finding.fields[0].applied_set) == (8, True)
    assert report.applied_commit == "0" * 40
    assert [member.standing for member in report.fleet] == [Standing.IN_SYNC, Standing.DRIFTED]


def test_what_is_merged_and_not_applied_is_pending() -> None:
    report = compare(requests(8), requests(9), requests(9))
    finding = only(report)
    assert (finding.origin, finding.severity, finding.since) == (Origin.REGISTRY, Severity.NOTE, None)
    assert finding.fields[0].applied == 9
    assert [member.standing for member in report.fleet] == [Standing.IN_SYNC, Standing.PENDING]


def test_both_sides_in_one_field_are_a_conflict() -> None:
    finding = only(compare(requests(8), requests(9), requests(7)))
    assert (finding.origin, finding.severity) == (Origin.BOTH, Severity.ERROR)
    assert (finding.fields[0].origin, finding.fields[0].applied) == (Origin.BOTH, 7)


def test_sides_that_moved_in_different_fields_are_told_apart_field_by_field() -> None:
    finding = only(compare(requests(8, queued=5), requests(9, queued=4), requests(8, queued=4)))
    assert finding.origin is Origin.BOTH
    assert {field.change.path.rpartition(".")[2]: field.origin for field in finding.fields} == {
        "max_ongoing_requests": Origin.CLUSTER,
        "max_queued_requests": Origin.REGISTRY,
    }


def test_what_an_earlier_apply_left_is_nobody_s_change_on_the_cluster() -> None:
    # The newest apply held or failed for this model, and so left what the one before had put there.
    finding = only(compare(requests(7), requests(9), requests(8), requests(9)))
    assert finding.origin is Origin.REGISTRY


def test_a_whole_block_is_related_to_what_is_in_it() -> None:
    now = desired(model("org/a", engine={"engine_kwargs": {"speculative_config": {"num_speculative_tokens": 2}}}))
    live = desired(model("org/a", engine={"engine_kwargs": {"speculative_config": {"num_speculative_tokens": 3}}}))
    before = desired(model("org/a"))
    finding = only(compare(now, live, before))
    assert [field.origin for field in finding.fields] == [Origin.BOTH]
    assert not finding.fields[0].applied_set


def test_nothing_known_is_said_to_be_unknown() -> None:
    finding = only(find_drift(requests(8), deployed(requests(9))))
    assert finding.origin is Origin.UNKNOWN


def test_an_apply_of_other_models_says_nothing() -> None:
    other = Applied("c" * 40, None, requests(8), frozenset({"org--b"}))
    finding = only(find_drift(requests(8), deployed(requests(9)), Background((other,))))
    assert finding.origin is Origin.UNKNOWN


def without(live: LiveState, name: str) -> LiveState:
    return replace(live, applications=tuple(entry for entry in live.applications if entry.name != name))


def test_a_missing_application_was_deleted_or_is_new() -> None:
    state = requests(8)
    live = without(deployed(state), "org--a")
    deleted = only(find_drift(state, live, applied(state)))
    assert (deleted.kind, deleted.origin, deleted.severity) == (FindingKind.MISSING, Origin.CLUSTER, Severity.ERROR)
    report = find_drift(state, live, applied(desired()))
    new = next(finding for finding in report.findings if finding.application == "org--a")
    assert (new.origin, new.severity) == (Origin.REGISTRY, Severity.NOTE)
    assert {member.application: member.standing for member in report.fleet}["org--a"] is Standing.PENDING
    report = find_drift(state, live)
    assert {member.application: member.standing for member in report.fleet}["org--a"] is Standing.FAILING


def test_an_orphan_waits_for_its_deletion_or_came_from_nowhere() -> None:
    live = deployed(requests(8))
    gone = {finding.application: finding for finding in compare(desired(), requests(8), requests(8)).findings}
    assert (gone["org--a"].origin, gone["org--a"].severity) == (Origin.REGISTRY, Severity.NOTE)
    live = replace(
        live, applications=tuple(replace(entry, last_deployed_s=1_700_000_000.0) for entry in live.applications)
    )
    strange = {finding.application: finding for finding in find_drift(desired(), live, applied(desired())).findings}
    assert strange["org--a"].origin is Origin.CLUSTER
    assert strange["org--a"].since == "2023-11-14T22:13:20+00:00"


@given(registries(), registries(), registries())
def test_live_as_applied_is_never_a_change_on_the_cluster(
    now: tuple[ModelEntry, ...], before: tuple[ModelEntry, ...], older: tuple[ModelEntry, ...]
) -> None:
    state = desired(*before)
    report = find_drift(desired(*now), deployed(state), applied(state, desired(*older)))
    assert {finding.origin for finding in report.findings if finding.kind is not FindingKind.CLUSTER} <= {
        Origin.REGISTRY
    }


@given(registries(), registries())
def test_registry_as_applied_is_never_a_merge(now: tuple[ModelEntry, ...], live: tuple[ModelEntry, ...]) -> None:
    state = desired(*now)
    report = find_drift(state, deployed(desired(*live)), applied(state))
    assert Origin.REGISTRY not in {finding.origin for finding in report.findings}
    assert Origin.BOTH not in {finding.origin for finding in report.findings}
