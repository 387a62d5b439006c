"""What is expected, what is ignored, and the GPUs."""

from dataclasses import replace
from typing import Any

from reconciler.drift.compare import Background, find_drift
from reconciler.drift.ignore import IgnoreRule
from reconciler.registry.tables import ray_table
from reconciler.state.accelerators import Accelerator
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveApplication, LiveState
from tests.support.states import deployed, desired, gpu_nodes, live_application, model, node, replicas

STATE = desired(model("org/a", deployment=replicas(1, 3)), model("org/b"))
DEFAULTS = Background(defaults=ray_table().deployment_defaults)


def with_application(report: LiveState, changed: LiveApplication) -> LiveState:
    others = (entry for entry in report.applications if entry.name != changed.name)
    return replace(report, applications=(*others, changed))


def given_options(state: DesiredState, name: str, **options: Any) -> LiveState:
    """The state deployed, its application of that name with these options of its deployment."""
    report = deployed(state)
    there = report.application(name)
    assert there is not None
    assert there.application is not None
    config = there.application.config
    overrides = [{**config["deployments"][0], **options}]
    return with_application(report, replace(there, application=Application({**config, "deployments": overrides})))


def test_a_default_that_is_written_out_is_expected() -> None:
    report = find_drift(STATE, given_options(STATE, "org--a", max_constructor_retry_count=20), DEFAULTS)
    assert not report.has_drift
    assert [(one.application, one.path) for one in report.expected] == [
        ("org--a", "deployments[LLMServer:org--a].max_constructor_retry_count")
    ]
    assert find_drift(STATE, given_options(STATE, "org--a", max_constructor_retry_count=7), DEFAULTS).has_drift
    assert find_drift(STATE, given_options(STATE, "org--a", max_replicas_per_node=7), DEFAULTS).has_drift


def test_what_the_autoscaler_does_is_expected() -> None:
    config = STATE.applications[1].application.config
    report = find_drift(STATE, with_application(deployed(STATE), live_application(config, count=2)))
    assert [(one.path, one.message) for one in report.expected] == [
        ("replicas", "the autoscaler runs 2 replicas of 1 to 3")
    ]


def test_what_a_rollout_and_ray_left_is_expected() -> None:
    report = given_options(STATE, "org--a", max_surge_percent=50)
    logging = {"log_level": "DEBUG"}
    there = report.application("org--b")
    assert there is not None
    assert there.application is not None
    copied = replace(there, application=Application({**there.application.config, "logging_config": logging}))
    found = find_drift(STATE, replace(with_application(report, copied), global_logging_config=logging))
    assert not found.has_drift
    assert {(one.application, one.path) for one in found.expected} == {
        ("org--a", "deployments[LLMServer:org--a].max_surge_percent"),
        ("org--b", "logging_config"),
    }


def test_a_rule_ignores_an_application_or_some_of_its_fields() -> None:
    report = given_options(STATE, "org--a", max_ongoing_requests=9, health_check_period_s=1)
    whole = find_drift(STATE, report, Background(rules=(IgnoreRule("org--*", None, "an experiment"),)))
    assert not whole.has_drift
    assert [one.reason for one in whole.ignored] == ["an experiment"]
    rule = IgnoreRule("org--a", "deployments[LLMServer:org--a].health_*", "slow disks")
    some = find_drift(STATE, report, Background(rules=(rule,)))
    [finding] = some.findings
    assert [field.change.path for field in finding.fields] == ["deployments[LLMServer:org--a].max_ongoing_requests"]
    [ignored] = some.ignored
    assert [field.change.path for field in ignored.finding.fields] == [
        "deployments[LLMServer:org--a].health_check_period_s"
    ]
    both = find_drift(STATE, report, Background(rules=(rule, replace(rule, path="*requests"), replace(rule, path="x"))))
    assert not both.has_drift
    assert len(both.ignored) == 2
    assert find_drift(STATE, report, Background(rules=(IgnoreRule("other", None, "no"),))).ignored == ()


def test_a_finding_without_fields_is_ignored_by_its_kind() -> None:
    config = STATE.applications[1].application.config
    report = with_application(deployed(STATE), live_application(config, count=9))
    assert find_drift(STATE, report, Background(rules=(IgnoreRule("org--a", "health", "no"),))).has_drift
    assert not find_drift(STATE, report, Background(rules=(IgnoreRule("org--a", "scale", "a test of load"),))).has_drift


def test_gpus_are_counted_by_type() -> None:
    typed = model("org/t", deployment=replicas(1, 2), scaling={"resources_per_worker": {"accelerator_type:L4": 0.01}})
    nodes = (
        node(0, used={"GPU": 3}, GPU=8, **{"accelerator_type:L4": 1}),
        node(1, GPU=4, **{"accelerator_type:A10G": 1}),
        node(2, CPU=8),
    )
    state = desired(typed, model("org/any"))
    assert find_drift(state, deployed(state, nodes=nodes)).accelerators == (
        Accelerator("A10G", 4, 0, 0, 0),
        Accelerator("GPU", 0, 0, 1, 1),
        Accelerator("L4", 8, 3, 1, 2),
    )
    assert [one.type for one in find_drift(state, deployed(state, nodes=nodes[:1])).accelerators] == ["L4"]
    assert [one.type for one in find_drift(STATE, deployed(STATE, nodes=gpu_nodes(1))).accelerators] == ["GPU"]
