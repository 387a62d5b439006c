"""The impact that the planner predicts, against the replica ids that really change, for every kind of change.

One application for each kind; all start in one PUT and change in another.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.plan.change import Change, Impact
from reconciler.plan.diff import diff
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveState
from tests.support.fake_serve import FakeServe
from tests.support.light import SCALING, light_config
from tests.support.world import World


@dataclass(frozen=True)
class Kind:
    """One kind of change: the application before and after, and what happens to its replicas."""

    impact: Impact
    after: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)


def option(impact: Impact, **values: Any) -> Kind:
    """A change of deployment options."""
    return Kind(impact, {"options": values})


def scaling(impact: Impact, **values: Any) -> Kind:
    """A change inside an autoscaling block that is there already."""
    return option(impact, autoscaling_config={**SCALING, **values})


ROUTER = "ray.serve._private.request_router:PowerOfTwoChoicesRequestRouter"
POLICY = "ray.serve.autoscaling_policy:default_autoscaling_policy"

KINDS = {
    "nothing": Kind(Impact.NONE, {}),
    "limits": option(
        Impact.IN_PLACE,
        max_queued_requests=9,
        health_check_period_s=7,
        health_check_timeout_s=40,
        graceful_shutdown_timeout_s=11,
        max_surge_percent=50,
    ),
    "ongoing-requests": option(Impact.RECONFIGURE, max_ongoing_requests=9),
    "graceful-wait": option(Impact.RECONFIGURE, graceful_shutdown_wait_loop_s=1),
    "scaling-maximum": scaling(Impact.IN_PLACE, max_replicas=2, target_ongoing_requests=3),
    "scaling-minimum": scaling(Impact.IN_PLACE, min_replicas=2, max_replicas=2),
    "scaling-initial": scaling(Impact.IN_PLACE, initial_replicas=1),
    "user-config": Kind(
        Impact.RECONFIGURE, {"options": {"user_config": {"a": 2}}}, {"options": {"user_config": {"a": 1}}}
    ),
    "route-prefix": Kind(Impact.RECONFIGURE, {"route_prefix": "/after"}, {"route_prefix": "/before"}),
    "args": Kind(Impact.ROLLING_RESTART, {"args": {"text": "changed"}}),
    "environment": Kind(Impact.ROLLING_RESTART, {"env": {"A": "2"}}, {"env": {"A": "1"}}),
    "import-path": Kind(Impact.ROLLING_RESTART, {"import_path": "light_app:rebuild"}),
    "scaling-added": Kind(Impact.ROLLING_RESTART, {"options": {}}, {"options": {"autoscaling_config": None}}),
    "scaling-removed": option(Impact.ROLLING_RESTART, autoscaling_config=None),
    "scaling-policy": scaling(Impact.ROLLING_RESTART, policy={"policy_function": POLICY}),
    "request-router": option(Impact.ROLLING_RESTART, request_router_config={"request_router_class": ROUTER}),
    "actor-options": option(Impact.ROLLING_RESTART, ray_actor_options={"num_cpus": 1}),
    "placement-group": option(Impact.ROLLING_RESTART, placement_group_bundles=[{"CPU": 1}]),
    "replicas-per-node": option(Impact.ROLLING_RESTART, max_replicas_per_node=4),
}
BEFORE = {name: light_config(name, **kind.before) for name, kind in KINDS.items()}
AFTER = {name: light_config(name, **{**kind.before, **kind.after}) for name, kind in KINDS.items()}


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[LiveState, LiveState]]:
    """The cluster before and after all the changes."""
    if request.param == "fake":
        fake = FakeServe()
        world = World(fake, fake, fake.advance)
    else:
        world = request.getfixturevalue("ray_world")
    yield world.apply(BEFORE.values()), world.apply(AFTER.values())


def predicted(name: str, before: LiveState) -> Change:
    """What the planner says of the change, from what the cluster reported."""
    live = before.application(name)
    assert live is not None
    return diff(live.application, Application(AFTER[name]))


@pytest.mark.parametrize("name", KINDS)
def test_the_predicted_impact_is_the_right_kind(name: str, seen: tuple[LiveState, LiveState]) -> None:
    assert predicted(name, seen[0]).impact is KINDS[name].impact


@pytest.mark.parametrize("name", KINDS)
def test_replicas_are_replaced_when_the_planner_says_so_and_only_then(
    name: str, seen: tuple[LiveState, LiveState]
) -> None:
    before, after = (state.application(name) for state in seen)
    assert before is not None and after is not None
    assert after.status is ApplicationStatus.RUNNING
    replaced = set(before.replica_ids).isdisjoint(after.replica_ids)
    assert replaced == predicted(name, seen[0]).impact.restarts
    assert replaced or set(before.replica_ids) <= set(after.replica_ids)
