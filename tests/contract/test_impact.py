"""The impact that the planner predicts, against the replica ids that really change, for every kind of change.

One application for each kind; many start in one PUT and change in another.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.plan.change import Change
from reconciler.plan.diff import diff
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication
from tests.support.fake_serve import FakeServe
from tests.support.impact_kinds import KINDS, UNCHANGEABLE, changeable, changed_options, singles
from tests.support.world import World

SINGLES = singles()
ALL = {**KINDS, **SINGLES}
IN_EVERY_RUN = (
    "nothing",
    "limits",
    "number",
    "user-config",
    "scaling",
    "route-prefix",
    "args",
    "actor-options",
    "placement-group",
    "replicas-per-node-added",
)
BATCH = 12
"""So many applications at a time: with all of them at once a busy machine answers no more."""

Seen = dict[str, tuple[LiveApplication, LiveApplication]]


def cases() -> Iterator[Any]:
    """Every kind on the fake, and on real Ray one of each rule; all others there in a long run."""
    for name in ALL:
        yield pytest.param("fake", name, id=f"fake-{name}")
    for name in IN_EVERY_RUN:
        yield pytest.param("ray", name, id=f"ray-{name}", marks=pytest.mark.ray)
    for name in (name for name in ALL if name not in IN_EVERY_RUN):
        yield pytest.param("ray, the rest", name, id=f"ray-{name}", marks=[pytest.mark.ray, pytest.mark.soak])


@pytest.fixture(scope="module")
def worlds() -> dict[str, Seen]:
    """What was seen in each world, filled by the first test that asks for it."""
    return {}


@pytest.fixture
def seen(request: pytest.FixtureRequest, worlds: dict[str, Seen], world: str) -> Seen:
    """Each application before and after its change, in the world of the test."""
    if world not in worlds:
        # What fails once is not tried again by every test.
        worlds[world] = {}
        if world == "fake":
            fake = FakeServe({"node-1": {"CPU": 16.0, "GPU": 1.0, "memory": 1e9, "node:__internal_head__": 1.0}})
            worlds[world] = carried_out(World(fake, fake, fake.advance), list(ALL))
        else:
            names = [name for name in ALL if (name in IN_EVERY_RUN) is (world == "ray")]
            worlds[world] = carried_out(request.getfixturevalue("ray_world"), names)
    return worlds[world]


def carried_out(world: World, names: list[str]) -> Seen:
    found: Seen = {}
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        configs = [ALL[name].configs(name) for name in batch]
        before = world.apply(config for config, _ in configs)
        after = world.apply(config for _, config in configs)
        for name in batch:
            old, new = before.application(name), after.application(name)
            assert old is not None and new is not None
            found[name] = (old, new)
    return found


def predicted(name: str, before: LiveApplication) -> Change:
    """What the planner says of the change, from what the cluster reported."""
    return diff(before.application, Application(ALL[name].configs(name)[1]))


@pytest.mark.parametrize(("world", "name"), [*cases()])
def test_replicas_are_replaced_when_the_planner_says_so_and_only_then(seen: Seen, world: str, name: str) -> None:
    assert seen, "the changes could not be carried out; the first test of this world says why"
    before, after = seen[name]
    assert before.status is ApplicationStatus.RUNNING, before.message
    assert after.status is ApplicationStatus.RUNNING, after.message
    impact = predicted(name, before).impact
    assert impact is ALL[name].impact
    old, new = set(before.replica_ids), set(after.replica_ids)
    assert old
    assert old.isdisjoint(new) == impact.restarts
    assert impact.restarts or old <= new


@pytest.mark.parametrize("name", ALL)
def test_each_field_has_the_impact_of_its_kind(name: str) -> None:
    kind = ALL[name]
    impacts = {field.impact for field in kind.change(name).fields}
    assert impacts <= {kind.impact} or kind.is_mixed
    assert kind.change(name).impact is kind.impact


def test_there_is_a_case_for_every_option_of_ray() -> None:
    seen = changed_options()
    # An option counts as changed when a part of it is.
    covered = {
        way for way in changeable() if any(path == way or path.startswith((f"{way}.", f"{way}[")) for path in seen)
    }
    # These two say how replicas are replaced, and are no difference: `of-one-rollout` is their case.
    rollout = {"deployments.max_surge_percent", "deployments.rolling_update_percentage"}
    assert changeable() - covered == UNCHANGEABLE.keys() | rollout
