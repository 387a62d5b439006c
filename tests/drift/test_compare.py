from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from reconciler.drift.compare import find_drift
from reconciler.drift.report import DriftReport, Finding, FindingKind
from reconciler.registry.registry import ModelEntry
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.provenance import Record
from tests.support.states import (
    deployed,
    desired,
    foreign,
    gpu_nodes,
    live,
    live_application,
    model,
    plan,
    remembering,
    replicas,
    settled,
)
from tests.support.strategies import registries

STATE = desired(model("org/a", deployment=replicas(1, 3)), model("org/b"))


def with_application(report: LiveState, changed: LiveApplication) -> LiveState:
    others = (entry for entry in report.applications if entry.name != changed.name)
    return replace(report, applications=(*others, changed))


def tampered(report: LiveState, name: str, **options: Any) -> LiveState:
    """The report after somebody changed options of an application's deployment."""
    there = report.application(name)
    assert there is not None
    assert there.application is not None
    config = there.application.config
    deployments = [{**entry, **options} for entry in config["deployments"]]
    return with_application(report, replace(there, application=Application({**config, "deployments": deployments})))


def of(report: DriftReport, name: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.application == name]


def test_a_cluster_as_the_registry_says_has_no_drift() -> None:
    report = find_drift(STATE, deployed(STATE))
    assert not report.has_drift
    assert report.findings == ()
    assert report.in_sync == ("gateway", "org--a", "org--b")


def test_a_changed_option_is_named_field_by_field() -> None:
    report = find_drift(STATE, tampered(deployed(STATE), "org--a", max_ongoing_requests=9))
    (finding,) = report.findings
    assert (finding.kind, finding.application) == (FindingKind.CONFIG, "org--a")
    assert finding.message == "1 field changed on the cluster or in the registry"
    assert [(field.change.path, field.change.before, field.change.after) for field in finding.fields] == [
        ("deployments[LLMServer:org--a].max_ongoing_requests", 9, 64)
    ]
    assert str(finding.position) == "registry/org--a.yaml:3:1"
    assert "`reconcile apply`" in finding.remedy
    assert report.has_drift
    assert report.in_sync == ("gateway", "org--b")


def test_a_missing_application_is_named() -> None:
    report = deployed(STATE)
    found = find_drift(STATE, replace(report, applications=report.applications[:2]))
    assert [(finding.kind, finding.application) for finding in found.findings] == [(FindingKind.MISSING, "org--b")]
    assert found.findings[0].remedy == "`reconcile apply` creates it"


def test_an_application_that_is_going_is_missing() -> None:
    report = deployed(STATE)
    going = replace(report.applications[2], status=ApplicationStatus.DELETING, application=None)
    assert [finding.kind for finding in of(find_drift(STATE, with_application(report, going)), "org--b")] == [
        FindingKind.MISSING
    ]


def test_somebody_elses_application_under_our_name_is_both() -> None:
    report = with_application(deployed(STATE), foreign("org--b", args={"owner": "others"}))
    found = find_drift(STATE, report)
    assert [(finding.kind, finding.message) for finding in of(found, "org--b")] == [
        (FindingKind.MISSING, "is not on the cluster: an application of somebody else has its name"),
        (FindingKind.UNMANAGED, "belongs to `others`"),
    ]


def test_what_is_not_ours_is_told_and_is_no_drift() -> None:
    program = replace(foreign("program"), declarative=False, application=None)
    report = find_drift(STATE, deployed(STATE, foreign(), program))
    assert not report.has_drift
    assert [(finding.kind, finding.application, finding.message) for finding in report.findings] == [
        (FindingKind.UNMANAGED, "program", "deployed by somebody else"),
        (FindingKind.UNMANAGED, "theirs", "deployed by somebody else"),
    ]


def test_ours_that_nobody_wants_is_an_orphan() -> None:
    report = find_drift(desired(model("org/b")), deployed(STATE))
    assert [finding.kind for finding in of(report, "org--a")] == [FindingKind.ORPHANED]


@pytest.mark.parametrize("status", [ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY])
def test_an_ill_application_says_the_first_line_of_why(status: ApplicationStatus) -> None:
    report = deployed(STATE)
    ill = replace(report.applications[2], status=status, message="\nout of memory\ntraceback")
    (finding,) = find_drift(STATE, with_application(report, ill)).findings
    assert finding.kind is FindingKind.HEALTH
    assert finding.message.startswith(f"{status}: out of memory")


def test_an_ill_deployment_is_enough() -> None:
    config = STATE.applications[2].application.config
    ill = live_application(config, deployment_status="UNHEALTHY", message="lost a GPU")
    report = with_application(deployed(STATE), replace(ill, message=""))
    (finding,) = find_drift(STATE, report).findings
    assert finding.message == "its deployment is UNHEALTHY: lost a GPU"
    assert "by itself" in finding.remedy
    silent = replace(ill, message="", deployments=(replace(ill.deployments[0], message=""),))
    (finding,) = find_drift(STATE, with_application(deployed(STATE), silent)).findings
    assert finding.message == "its deployment is UNHEALTHY"


def test_the_cure_depends_on_whether_the_registry_has_another_config() -> None:
    report = deployed(STATE)
    failed = with_application(report, replace(report.applications[2], status=ApplicationStatus.DEPLOY_FAILED))
    assert of(find_drift(STATE, failed), "org--b")[0].remedy == (
        "mend the cause or change the model, then `reconcile apply`"
    )
    config, health = of(find_drift(STATE, tampered(failed, "org--b", max_queued_requests=1)), "org--b")
    assert (config.kind, health.kind) == (FindingKind.CONFIG, FindingKind.HEALTH)
    assert health.remedy.startswith("`reconcile apply` deploys the registry's config")


def test_an_application_on_its_way_is_no_drift() -> None:
    report = deployed(STATE)
    on_its_way = replace(report.applications[1], status=ApplicationStatus.DEPLOYING, deployments=())
    assert not find_drift(STATE, with_application(report, on_its_way)).has_drift


@pytest.mark.parametrize(("count", "drifted"), [(0, True), (1, False), (3, False), (4, True)])
def test_what_the_autoscaler_explains_is_no_drift(count: int, drifted: bool) -> None:
    config = STATE.applications[1].application.config
    report = with_application(deployed(STATE), live_application(config, count=count))
    assert find_drift(STATE, report).has_drift is drifted


def test_a_count_out_of_bounds_is_said_with_the_bounds() -> None:
    config = STATE.applications[1].application.config
    (finding,) = find_drift(STATE, with_application(deployed(STATE), live_application(config, count=4))).findings
    assert finding.kind is FindingKind.SCALE
    assert finding.message == "Ray aims at 4 replicas; the registry allows 1 to 3"


def test_a_capacity_target_explains_any_count() -> None:
    config = STATE.applications[1].application.config
    report = with_application(deployed(STATE), live_application(config, count=0))
    assert not find_drift(STATE, replace(report, options={"target_capacity": 10})).has_drift


def test_values_of_environment_variables_never_come_out() -> None:
    state = desired(model("org/a", engine={"runtime_env": {"env_vars": {"TOKEN": "s3cret"}}}))
    report = find_drift(state, deployed(desired(model("org/a"))))
    assert report.has_drift
    assert "s3cret" not in repr(report)


def test_a_rollout_s_surge_and_the_record_of_an_apply_are_no_drift() -> None:
    report = tampered(deployed(STATE), "org--a", max_surge_percent=100)
    gateway = STATE.applications[0].application.deployments["Gateway"]
    user_config = {**gateway["user_config"], "provenance": {"who": "ci"}}
    assert not find_drift(STATE, tampered(report, "gateway", user_config=user_config)).has_drift


ROLLBACK = Record("2026-01-02T03:04:05+00:00", "me", "a" * 40, None, False, "1", is_rollback=True)


def test_a_rollback_is_told_where_the_registry_differs() -> None:
    [note] = find_drift(STATE, tampered(remembering(deployed(STATE), ROLLBACK), "org--a", max_ongoing_requests=9)).notes
    assert note.startswith("the cluster was rolled back to commit aaaaaaaaaaaa by me at ")
    assert note.endswith("; what differs may be just that, and `reconcile apply` would undo it")
    assert find_drift(STATE, remembering(deployed(STATE), ROLLBACK)).notes == ()
    applied = replace(ROLLBACK, is_rollback=False)
    changed = tampered(remembering(deployed(STATE), applied), "org--a", max_ongoing_requests=9)
    assert find_drift(STATE, changed).notes == ()


@given(registries())
def test_after_a_plan_is_carried_out_there_is_no_drift(models: tuple[ModelEntry, ...]) -> None:
    state = desired(*models)
    report = live(foreign(), nodes=gpu_nodes(8))
    document = plan(state, report).waves[-1].document
    found = find_drift(state, settled(report, document))
    assert {finding.kind for finding in found.findings} == {FindingKind.UNMANAGED}


@given(registries(), registries())
def test_the_report_does_not_depend_on_any_order(before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...]) -> None:
    report = deployed(desired(*before), foreign())
    backwards = replace(report, applications=tuple(reversed(report.applications)))
    assert find_drift(desired(*after), report) == find_drift(desired(*reversed(after)), backwards)
