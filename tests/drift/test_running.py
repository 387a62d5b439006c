"""What really runs: options in effect, routes, versions and weights as the replicas tell them."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drift.compare import Background, find_drift
from reconciler.drift.report import Finding, FindingKind, Standing
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.work import About, Adapter, ReplicaWork, UnknownWork, Weights, Work
from tests.support.states import deployed, desired, model, replicas

STATE = desired(model("org/a", deployment=replicas(2, 3)), model("org/b"))
OLD, NEW = "0" * 40, "1" * 40
QUIET: Work = Work({"org--b": ()})


def with_application(report: LiveState, changed: LiveApplication) -> LiveState:
    others = (entry for entry in report.applications if entry.name != changed.name)
    return replace(report, applications=(*others, changed))


def in_effect(state: DesiredState, name: str, **options: Any) -> LiveState:
    """The state deployed, its application of that name running with these options."""
    report = deployed(state)
    there = report.application(name)
    assert there is not None
    running = tuple(replace(deployment, options=options) for deployment in there.deployments)
    return with_application(report, replace(there, deployments=running))


def test_an_option_that_is_not_in_effect_is_named() -> None:
    report = find_drift(STATE, in_effect(STATE, "org--a", max_ongoing_requests=5, graceful_shutdown_timeout_s=120))
    [finding] = report.findings
    assert finding.kind is FindingKind.RUNNING
    assert finding.message == "runs with 1 other option than it was given"
    assert fields(finding) == [("deployments[LLMServer:org--a].max_ongoing_requests", 5, 64)]


def test_what_ray_fills_in_is_no_other_option() -> None:
    block = {
        **STATE.applications[1].application.config["deployments"][0]["autoscaling_config"],
        "look_back_period_s": 30,
    }
    assert not find_drift(STATE, in_effect(STATE, "org--a", autoscaling_config=block)).has_drift
    assert find_drift(STATE, in_effect(STATE, "org--a", autoscaling_config={**block, "max_replicas": 9})).has_drift


def test_a_config_that_stays_though_it_is_not_given_is_named() -> None:
    [finding] = find_drift(STATE, in_effect(STATE, "org--a", user_config={"x": 1})).findings
    assert fields(finding) == [("deployments[LLMServer:org--a].user_config", {"x": 1}, None)]


@pytest.mark.parametrize("status", [ApplicationStatus.DEPLOYING, ApplicationStatus.NOT_STARTED])
def test_what_is_on_its_way_runs_with_what_it_has(status: ApplicationStatus) -> None:
    report = in_effect(STATE, "org--a", max_ongoing_requests=5)
    there = report.application("org--a")
    assert there is not None
    found = find_drift(STATE, with_application(report, replace(there, status=status)))
    assert not found.has_drift
    assert [member.standing for member in found.fleet] == [Standing.IN_SYNC, Standing.PENDING, Standing.IN_SYNC]


def saying(*abouts: About | None) -> Work:
    """The replicas of `org--a` say this of themselves."""
    said = (ReplicaWork(f"org--a#{number}", 0, 0, None, 1.0, about) for number, about in enumerate(abouts))
    return Work({"org--a": tuple(said), "org--b": ()})


def found(work: Work | UnknownWork, state: DesiredState = STATE, **background: Any) -> tuple[Finding, ...]:
    checked = {"vllm": "0.29.0"}
    return find_drift(state, deployed(state), Background(work=work, checked=checked, **background)).findings


def about(vllm: str = "0.29.0", revision: str | None = NEW) -> About:
    return About({"vllm": vllm, "ray": "2.60.0"}, Weights("org/a", revision))


def fields(finding: Finding) -> list[tuple[str, Any, Any]]:
    return [(field.change.path, field.change.before, field.change.after) for field in finding.fields]


def test_what_the_registry_is_checked_against_is_no_drift() -> None:
    assert found(saying(about(), about("0.29.7"))) != ()  # Two versions, be they alike.
    assert found(saying(about("0.29.7"), about("0.29.7"))) == ()
    assert found(saying(about(), None)) == ()
    assert found(saying(None, None)) == ()


def test_another_release_of_vllm_is_told_with_both() -> None:
    [finding] = found(saying(about("0.28.1"), about("0.28.1")))
    assert (finding.kind, finding.application) == (FindingKind.RUNNING, "org--a")
    assert finding.message == "runs another release of vllm than the registry is checked against"
    assert fields(finding) == [("versions.vllm", "0.28.1", "0.29.0")]
    assert str(finding.position) == "registry/org--a.yaml:3:1"


def test_replicas_that_run_different_versions_are_told() -> None:
    [finding] = found(saying(about("0.28.1"), about("0.29.0")))
    assert finding.message == (
        "its replicas run different versions of vllm; runs another release of vllm than the registry is checked against"
    )
    assert fields(finding) == [("versions.vllm", "0.28.1, 0.29.0", "0.29.0")]
    [finding] = found(saying(About({"llama_cpp": "0.3.1"}), About({"llama_cpp": "0.3.2"})))
    assert fields(finding) == [("versions.llama_cpp", "0.3.1, 0.3.2", None)]


def test_replicas_that_loaded_different_weights_are_told() -> None:
    [finding] = found(saying(about(revision=OLD), about(revision=NEW)))
    assert finding.message == "its replicas have loaded different revisions of the weights"
    assert fields(finding) == [("weights.revision", f"{OLD[:12]}, {NEW[:12]}", None)]
    assert found(saying(about(revision=None), about(revision=NEW))) == ()


@pytest.mark.parametrize(("pinned", "drifted"), [(NEW, False), (OLD, True), ("main", False)])
def test_weights_are_those_of_the_commit_that_the_registry_names(pinned: str, drifted: bool) -> None:
    state = desired(model("org/a", engine={"engine_kwargs": {"revision": pinned}}), model("org/b"))
    findings = found(saying(about(revision=NEW)), state)
    assert bool(findings) is drifted
    if drifted:
        assert findings[0].message == "has loaded another revision of the weights than the registry names"
        assert fields(findings[0]) == [("weights.revision", NEW[:12], OLD[:12])]


def test_an_adapter_that_cannot_be_loaded_is_told() -> None:
    ill = About(adapters={"fr": Adapter("failed", None, "no such file"), "de": Adapter("loaded")})
    [finding] = found(saying(ill, About(adapters={"fr": Adapter("loaded")})))
    assert (finding.kind, finding.message) == (FindingKind.HEALTH, "cannot load 1 adapter: `fr`: no such file")
    assert found(saying(About(adapters={"fr": Adapter("loading")}), None)) == ()


def test_the_fleet_says_what_runs() -> None:
    report = find_drift(STATE, deployed(STATE), Background(work=saying(about(), about())))
    gateway, chat, _ = report.fleet
    assert (chat.versions, chat.revisions) == ({"ray": ("2.60.0",), "vllm": ("0.29.0",)}, (NEW,))
    assert (gateway.versions, gateway.revisions) == ({}, ())


def test_what_nobody_says_is_a_note_and_no_drift() -> None:
    report = find_drift(STATE, deployed(STATE), Background(work=UnknownWork("it is down")))
    assert not report.has_drift
    assert report.notes == ("which versions and weights the replicas run is not known: it is down",)
    assert find_drift(STATE, deployed(STATE)).notes == ()


def test_a_model_that_the_gateway_does_not_route_is_told() -> None:
    [finding] = found(QUIET)
    assert (finding.kind, finding.application) == (FindingKind.RUNNING, "gateway")
    assert finding.message == "the gateway that answers does not know `org/a`, of which it was told"
    assert fields(finding) == [("routes.org/a", None, "told")]
    starting = deployed(STATE)
    gateway = starting.application("gateway")
    assert gateway is not None
    on_its_way = with_application(starting, replace(gateway, status=ApplicationStatus.DEPLOYING))
    assert not find_drift(STATE, on_its_way, Background(work=QUIET)).has_drift


def test_a_route_that_somebody_took_away_is_drift_of_the_gateway() -> None:
    report = deployed(STATE)
    gateway = report.application("gateway")
    assert gateway is not None and gateway.application is not None
    config = gateway.application.config
    [deployment] = config["deployments"]
    models = {key: value for key, value in deployment["user_config"]["models"].items() if key != "org/a"}
    changed = [{**deployment, "user_config": {**deployment["user_config"], "models": models}}]
    tampered = replace(gateway, application=Application({**config, "deployments": changed}))
    [finding] = find_drift(STATE, with_application(report, tampered)).findings
    assert (finding.kind, finding.application) == (FindingKind.CONFIG, "gateway")
    assert [field.change.path.partition("].")[2] for field in finding.fields] == ['user_config.models["org/a"]']


def test_another_runtime_package_is_drift() -> None:
    report = deployed(STATE)
    there = report.application("org--a")
    assert there is not None and there.application is not None
    config = {**there.application.config, "runtime_env": {"py_modules": ["gcs://other.zip"]}}
    [finding] = find_drift(STATE, with_application(report, replace(there, application=Application(config)))).findings
    [field] = finding.fields
    assert field.change.path.startswith("runtime_env.py_modules")
    assert (field.change.before, field.change.after) == (["gcs://other.zip"], ["gcs://engine_0.zip"])


def test_replicas_of_an_earlier_version_are_told_beside_the_failure() -> None:
    report = deployed(STATE)
    there = report.application("org--a")
    assert there is not None
    failed = replace(there, status=ApplicationStatus.DEPLOY_FAILED, message="out of memory")
    shown = find_drift(STATE, with_application(report, failed))
    assert [one.message for one in shown.findings] == [
        "DEPLOY_FAILED: out of memory (2 replicas of an earlier version serve on)"
    ]
    hidden = replace(failed, deployments=(), unlisted=("old1",))
    assert (
        find_drift(STATE, with_application(report, hidden))
        .findings[0]
        .message.endswith("(1 replica of an earlier version serves on)")
    )
    gone = replace(failed, deployments=())
    assert find_drift(STATE, with_application(report, gone)).findings[0].message.endswith("(nothing serves)")
