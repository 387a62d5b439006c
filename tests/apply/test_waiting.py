from dataclasses import replace
from typing import Any

import pytest

from reconciler.apply.waiting import Standing, Verdict, failure_message, judge
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication
from tests.support.states import desired, live, live_application, model, replicas

CONFIG = desired(model("org/chat", deployment=replicas(2, 4))).applications[1].application.config
NAME = "org--chat"


def seen(**report: Any) -> LiveApplication:
    """The application as the cluster reports it."""
    return live_application(CONFIG, **{"count": 2, **report})


def verdict(entry: LiveApplication, *replaced: str) -> Verdict:
    """How far it is."""
    return judge(live(entry), NAME, CONFIG, frozenset(replaced))


def test_enough_running_replicas_are_enough() -> None:
    assert verdict(seen()) == Verdict(Standing.REACHED, "serves", 2, 2)


def test_what_the_autoscaler_wants_beyond_the_lower_bound_is_not_waited_for() -> None:
    (deployment,) = seen().deployments
    entry = replace(seen(), deployments=(replace(deployment, target_num_replicas=4, status="UPSCALING"),))
    assert verdict(entry).standing is Standing.REACHED


def test_a_target_below_the_lower_bound_is_enough() -> None:
    (deployment,) = seen(count=1).deployments
    entry = replace(seen(count=1), deployments=(replace(deployment, target_num_replicas=1),))
    assert verdict(entry).standing is Standing.REACHED


def test_too_few_replicas_are_waited_for() -> None:
    (deployment,) = seen(count=1).deployments
    entry = replace(seen(count=1), deployments=(replace(deployment, target_num_replicas=2),))
    assert verdict(entry) == Verdict(Standing.PENDING, "starting new replicas", 1, 2)


def test_old_replicas_do_not_count_and_have_to_go() -> None:
    found = verdict(seen(), f"{NAME}#0")
    assert found.standing is Standing.PENDING
    assert found.message == "starting new replicas; 1 of the old replicas still there"


def test_an_application_without_deployments_is_being_built() -> None:
    entry = replace(seen(status=ApplicationStatus.DEPLOYING), deployments=())
    assert verdict(entry) == Verdict(Standing.PENDING, "building the application", 0, 0)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", "Ray says DEPLOYING"),
        ("waits for a node\nmore", "waits for a node"),
        ("Error:\nKeyError: 1", "KeyError: 1"),
    ],
)
def test_what_ray_waits_for_is_told(message: str, told: str) -> None:
    entry = seen(status=ApplicationStatus.DEPLOYING)
    entry = replace(entry, deployments=(replace(entry.deployments[0], message=message),))
    assert verdict(entry) == Verdict(Standing.PENDING, told, 2, 2)


@pytest.mark.parametrize("status", [ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY])
def test_a_failure_is_told_with_the_deployments_words_first(status: ApplicationStatus) -> None:
    entry = seen(status=status, message="in short")
    entry = replace(entry, message="it failed")
    assert verdict(entry) == Verdict(Standing.FAILED, "in short\nit failed")


def test_a_failure_may_be_without_words() -> None:
    assert failure_message(seen(status=ApplicationStatus.UNHEALTHY)) == ""


@pytest.mark.parametrize("entry", [None, seen(status=ApplicationStatus.DELETING)])
def test_an_application_that_went_away_was_deleted_by_somebody(entry: LiveApplication | None) -> None:
    found = judge(live(*([entry] if entry else [])), NAME, CONFIG)
    assert found == Verdict(Standing.TAKEN, "somebody else deleted it meanwhile")


@pytest.mark.parametrize("config", [None, {**CONFIG, "route_prefix": "/x"}])
def test_an_application_with_another_config_was_changed_by_somebody(config: Any) -> None:
    entry = seen()
    other = replace(entry, application=Application(config) if config else None)
    assert verdict(other) == Verdict(Standing.TAKEN, "somebody else changed it meanwhile")


def test_a_deployment_without_a_block_is_measured_by_its_target() -> None:
    config = {"name": "plain", "deployments": [{"name": "App", "num_replicas": 2}]}
    assert judge(live(live_application(config, count=2)), "plain", config).target == 2


def test_gone_is_gone() -> None:
    assert judge(live(), NAME, None) == Verdict(Standing.REACHED, "gone")


def test_a_deletion_is_waited_for() -> None:
    entry = seen(status=ApplicationStatus.DELETING)
    assert judge(live(entry), NAME, None) == Verdict(Standing.PENDING, "2 replicas still stopping")


def test_what_is_deployed_again_is_left_alone() -> None:
    found = judge(live(seen()), NAME, None)
    assert found == Verdict(Standing.TAKEN, "somebody else deployed it again meanwhile")
