from dataclasses import replace

from reconciler.state.live import ApplicationStatus, Replica
from tests.support.states import deployed, desired, foreign, live, live_application, model


def test_only_running_replicas_serve() -> None:
    entry = live_application({"name": "a"}, count=2)
    deployment = entry.deployments[0]
    starting = replace(deployment, replicas=(*deployment.replicas, Replica("new", "STARTING")))
    assert replace(entry, deployments=(starting,)).replica_ids == ("a#0", "a#1")


def test_an_application_is_found_by_name() -> None:
    report = live(foreign("one"), foreign("two"))
    found = report.application("two")
    assert found is not None
    assert found.name == "two"
    assert report.application("three") is None


def test_the_fingerprint_is_of_configs_and_options_only() -> None:
    state = desired(model())
    report = deployed(state, foreign())
    sick = [replace(entry, status=ApplicationStatus.UNHEALTHY, deployments=()) for entry in report.applications]
    assert replace(report, applications=tuple(sick), nodes=()).fingerprint == report.fingerprint
    assert replace(report, options={}).fingerprint != report.fingerprint
    assert deployed(state, foreign(args={"x": 1})).fingerprint != report.fingerprint


def test_what_a_program_deployed_is_not_in_the_fingerprint() -> None:
    program = replace(foreign("program"), declarative=False, application=None)
    assert live(foreign(), program).fingerprint == live(foreign()).fingerprint


def test_an_application_without_a_config_is_in_the_fingerprint() -> None:
    assert live(replace(foreign(), application=None)).fingerprint != live().fingerprint
