from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.change import Change, Impact
from reconciler.plan.diff import diff
from reconciler.plan.plan import Action, ActionKind
from reconciler.plan.retry import MARKED_OPTION, retry, without_mark
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from tests.support.states import deployed, desired, gpu_nodes, in_use, live_application, model, override_of, plan

STATE = desired(model("org/a"))
CONFIG = STATE.applications[1].application.config


def failed(state: str = "RUNNING", effective: Any = 120.0, **changes: Any) -> LiveApplication:
    """The model after a failed deployment: a replica of an earlier version in this state."""
    entry = live_application(CONFIG, replica_state=state, message="Failed to update the deployments ['X'].\nmore")
    deployment = replace(entry.deployments[0], options={MARKED_OPTION: effective})
    settled = replace(entry, status=ApplicationStatus.DEPLOY_FAILED, deployments=(deployment,))
    return replace(settled, **changes)


def report(there: LiveApplication, *, gpus: int = 8, used: int = 0) -> LiveState:
    """A cluster with the gateway and that."""
    found = deployed(STATE, nodes=in_use(gpu_nodes(1, gpus), GPU=used))
    return replace(found, applications=(found.applications[0], there))


def only(state: LiveState) -> Action:
    """The one action of the plan."""
    (action,) = plan(STATE, state).actions
    return action


def test_a_failed_config_is_tried_again_beside_what_serves() -> None:
    found = only(report(failed()))
    assert (found.kind, found.impact) == (ActionKind.RETRY, Impact.ROLLING_RESTART)
    assert found.rollout is not None
    assert (found.rollout.surge_percent, found.rollout.downtime_expected) == (100, False)
    assert found.rollout.sentence == "replicas of an earlier version serve until the new ones do"
    assert found.reason == (
        "it failed to deploy (Failed to update the deployments ['X'].), and Ray does not try the same config again by "
        "itself"
    )


@pytest.mark.parametrize("there", [failed("STOPPING"), failed(deployments=())])
def test_where_nothing_serves_nothing_is_touched(there: LiveApplication) -> None:
    found = only(report(there))
    assert (found.kind, found.impact) == (ActionKind.RETRY, Impact.NONE)
    assert found.rollout is not None and found.rollout.sentence == "nothing of it serves now"


def test_replicas_that_ray_does_not_list_serve_as_well() -> None:
    assert only(report(failed(deployments=(), unlisted=("r1",)))).impact is Impact.ROLLING_RESTART


def test_what_does_not_fit_beside_what_serves_is_held_and_never_squeezed_in() -> None:
    strategies: tuple[dict[str, Any], ...] = ({}, {"strategy": "rolling"}, {"strategy": "recreate"})
    for rollout in strategies:
        state = desired(model("org/a", rollout=rollout))
        (hold,) = plan(state, report(failed(), gpus=1, used=1), allow_downtime=True).holds
        assert hold.guard == "needs-room"
        assert hold.release.endswith("what failed is not tried at the cost of what serves")


def test_what_never_fits_is_held() -> None:
    (hold,) = plan(STATE, report(failed("STOPPING"), gpus=0)).holds
    assert hold.guard == "never-fits"


def test_where_nothing_serves_room_is_needed_all_the_same() -> None:
    there = failed("STOPPING")
    stopped = replace(there, deployments=(replace(there.deployments[0], replicas=()),))
    (hold,) = plan(STATE, report(stopped, gpus=1, used=1)).holds
    assert hold.action.kind is ActionKind.RETRY


def test_a_protected_model_that_serves_is_not_risked() -> None:
    state = desired(model("org/a", rollout={"protect": True}))
    entry = live_application(state.applications[1].application.config)
    there = replace(entry, status=ApplicationStatus.DEPLOY_FAILED)
    found = deployed(state)
    (hold,) = plan(state, replace(found, applications=(found.applications[0], there))).holds
    assert (hold.guard, hold.action.kind) == ("protected", ActionKind.RETRY)


def test_a_small_change_of_a_failed_config_is_a_retry_with_its_fields() -> None:
    state = desired(model("org/a", deployment={"max_queued_requests": 7}))
    (action,) = plan(state, report(failed())).actions
    assert action.kind is ActionKind.RETRY
    assert [field.path for field in action.change.fields] == ["deployments[LLMServer:org--a].max_queued_requests"]


def test_a_new_version_of_a_failed_config_is_an_update() -> None:
    state = desired(model("org/a", engine={"max_total_tokens": 9}))
    (action,) = plan(state, report(failed())).actions
    assert (action.kind, action.impact) == (ActionKind.UPDATE, Impact.ROLLING_RESTART)


def test_a_failed_gateway_is_tried_again_beside_a_held_model() -> None:
    found = deployed(STATE, nodes=in_use(gpu_nodes(1, 1), GPU=1))
    gateway = replace(found.applications[0], status=ApplicationStatus.DEPLOY_FAILED, deployments=())
    there = replace(found, applications=(gateway, failed()))
    result = plan(STATE, there)
    assert [action.name for action in result.actions] == ["gateway"]
    assert [hold.action.name for hold in result.holds] == ["org--a"]


def mark(effective: Any, wanted: Any = None) -> Any:
    """The option's value in the config that is sent."""
    override = {**override_of(CONFIG, "org/a"), MARKED_OPTION: wanted}
    if wanted is None:
        del override[MARKED_OPTION]
    config = {**CONFIG, "deployments": [override]}
    change = Change("org--a", Application(config), Application(config), (), Impact.NONE)
    after = retry(change, failed(effective=effective)).after
    assert after is not None
    return override_of(after.config, "org/a").get(MARKED_OPTION)


@pytest.mark.parametrize(
    ("effective", "wanted", "sent"),
    [
        (120.0, 120, 120.001),
        (120.001, 120, 120.002),
        (120.002, 120, 120.001),
        (20.0, None, 20.001),
        (20.001, None, 20.002),
        (120.0, 60, 60.001),
        (0, 0, 0.001),
        (None, 120, 120),
        (True, None, None),
    ],
)
def test_every_try_makes_another_version(effective: Any, wanted: Any, sent: Any) -> None:
    assert mark(effective, wanted) == sent


def with_timeout(value: Any) -> Application:
    """The model with that option, or without it."""
    override = {key: item for key, item in override_of(CONFIG, "org/a").items() if key != MARKED_OPTION}
    return Application({**CONFIG, "deployments": [override if value is None else {**override, MARKED_OPTION: value}]})


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (120.001, 120, []),
        (120.002, 120, []),
        (20.001, None, []),
        (20, None, [(20, None)]),
        (120.001, 60, [(120.001, 60)]),
        (None, 20.001, [(None, 20.001)]),
        (120.001, 120.001, []),
        (120, 60, [(120, 60)]),
    ],
)
def test_the_mark_of_a_retry_is_no_difference(before: Any, after: Any, shown: list[tuple[Any, Any]]) -> None:
    found = diff(with_timeout(before), with_timeout(after))
    assert [(field.before, field.after) for field in found.fields] == shown


def test_a_deployment_on_one_side_only_has_no_mark_to_compare() -> None:
    config = with_timeout(120.001).config
    assert diff(Application({**config, "deployments": []}), Application(config)).fields


def test_something_else_than_a_number_is_left_alone() -> None:
    assert without_mark("soon") == "soon"
    assert without_mark(True) is True
