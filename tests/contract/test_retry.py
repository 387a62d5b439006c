"""Trying a config again that failed, on the fake and on real Ray alike.

Two causes outside (a file that a replica needs, and one that the builder needs) times two situations (an earlier
version serves, or nothing does); one story for each world.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.apply.outcome import Outcome, Result
from reconciler.plan.change import Impact
from reconciler.plan.plan import ActionKind, Plan
from reconciler.state.live import ApplicationStatus, LiveState
from tests.contract.test_apply_contract import NEIGHBOUR, Site
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.world import World

SURGE = {"max_surge_percent": 100}
SERVED = {name: light_config(name, args={"text": "one"}) for name in ("start-served", "build-served")}


def wanted(weights: Path, code: Path) -> dict[str, Any]:
    """What the registry wants, by name: each needs a file."""
    needs = {"start": {"needs": str(weights)}, "build": {"build_needs": str(code)}}
    return {
        f"{cause}-{situation}": light_config(f"{cause}-{situation}", args={"text": "two", **args})
        for cause, args in needs.items()
        for situation in ("served", "new")
    }


@dataclass(frozen=True)
class Story:
    """What was seen after each step."""

    before: LiveState
    failed: LiveState
    put_again: LiveState
    """The failed document was PUT once more, with nothing mended."""
    plan: Plan
    futile: dict[str, Outcome]
    """Applied with nothing mended."""
    still: LiveState
    mended: dict[str, Outcome]
    """Applied after the files were put there."""
    after: LiveState
    left: Plan
    unmarked: LiveState
    """The mark of the retry taken out again."""


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The fake and the real thing, with somebody else's application on it."""
    if request.param == "fake":
        fake = FakeServe()
        found = Site(World(fake, fake, fake.advance), FakeClock(fake), None)
    else:
        found = Site(request.getfixturevalue("ray_world"), SystemClock(), None)
    found.world.apply([NEIGHBOUR])
    yield found


@pytest.fixture(scope="module")
def story(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Serve, fail, try again in vain, mend, try again."""
    folder = tmp_path_factory.mktemp("outside")
    weights, code = folder / "weights", folder / "code"
    configs = wanted(weights, code)
    before = site.world.apply([*SERVED.values(), NEIGHBOUR])
    sent = [surging(config) for config in configs.values()]
    failed = site.world.apply([*sent, NEIGHBOUR])
    put_again = site.world.apply([*sent, NEIGHBOUR])
    plan = site.plan(configs)
    futile = site.carry_out(plan)
    still = site.world.settle()
    weights.touch()
    code.touch()
    mended = site.carry_out(site.plan(configs))
    after = site.world.settle()
    left = site.plan(configs)
    unmarked = site.world.apply([*sent, NEIGHBOUR])
    return Story(before, failed, put_again, plan, futile, still, mended, after, left, unmarked)


def surging(config: Any) -> Any:
    """The config as a rollout beside the old replicas sends it."""
    return {**config, "deployments": [{**entry, **SURGE} for entry in config["deployments"]]}


NAMES = ("build-new", "build-served", "start-new", "start-served")


def test_the_same_config_again_is_only_built_again(story: Story) -> None:
    for state in (story.failed, story.put_again, story.still):
        for name in NAMES:
            entry = state.application(name)
            assert entry is not None and entry.status is ApplicationStatus.DEPLOY_FAILED, name


def test_what_failed_is_planned_to_be_tried_again(story: Story) -> None:
    assert {action.name: (action.kind, action.impact) for action in story.plan.actions} == {
        "build-new": (ActionKind.RETRY, Impact.NONE),
        "build-served": (ActionKind.RETRY, Impact.ROLLING_RESTART),
        "start-new": (ActionKind.RETRY, Impact.NONE),
        "start-served": (ActionKind.RETRY, Impact.ROLLING_RESTART),
    }


def test_what_serves_though_it_is_not_listed_is_seen(story: Story) -> None:
    before, failed = story.before.application("build-served"), story.failed.application("build-served")
    assert before and failed and failed.deployments == ()
    assert failed.unlisted == before.replica_ids


def test_a_retry_that_fails_again_leaves_what_serves(story: Story) -> None:
    for name in NAMES:
        outcome = story.futile[name]
        assert outcome.result is Result.FAILED
        assert outcome.cause is not None and "there is no " in " ".join((outcome.cause, *outcome.log_excerpt))
    serving = "; left as it is: replicas of an earlier version go on serving"
    assert story.futile["start-served"].message == f"tried again, and it failed to run{serving}"
    assert story.futile["build-served"].message == f"tried again, and it failed to run{serving}"
    assert story.futile["start-new"].message.endswith("nothing of it serves")
    before, still = story.before.application("start-served"), story.still.application("start-served")
    assert before and still and still.replica_ids == before.replica_ids
    unlisted = story.still.application("build-served")
    assert unlisted and unlisted.unlisted == story.failed.application("build-served").unlisted  # type: ignore[union-attr]


def test_a_retry_after_the_cause_is_mended_serves(story: Story) -> None:
    assert {name: outcome.result for name, outcome in story.mended.items()} == dict.fromkeys(NAMES, Result.APPLIED)
    for name in NAMES:
        entry = story.after.application(name)
        assert entry and entry.status is ApplicationStatus.RUNNING and len(entry.replica_ids) == 1


def test_nothing_is_left_to_do_then(story: Story) -> None:
    assert not story.left.has_changes


def test_the_mark_of_a_retry_is_invisible_to_running_replicas(story: Story) -> None:
    for name in NAMES:
        after, unmarked = story.after.application(name), story.unmarked.application(name)
        assert after and unmarked and after.replica_ids == unmarked.replica_ids


def test_the_neighbour_is_untouched(story: Story) -> None:
    ids = {state.application("neighbour").replica_ids for state in (story.before, story.unmarked)}  # type: ignore[union-attr]
    assert len(ids) == 1
