"""What the gateway remembers, on the fake and on real Ray alike: written in place, while everything goes on running."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.exchange import Exchange
from reconciler.apply.executor import apply_plan
from reconciler.apply.outcome import Outcome
from reconciler.apply.provenance import conclude, settle
from reconciler.apply.stop import StopSignal
from reconciler.plan.build import build_plan
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.plan.standing import standing
from reconciler.registry.spec import Rollout
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.provenance import Names, Record, history, load_seconds
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config, light_gateway
from tests.support.stage import PROVENANCE, FakeSmoke
from tests.support.states import ADDRESS, SOURCE
from tests.support.world import World

OWNER = "tests"
NEIGHBOUR = light_config("neighbour", args={"owner": "somebody-else"}, route_prefix="/neighbour")
STARTUP_S = 2
FIRST = {"gateway": light_gateway(), "chat": light_config("chat"), "slow": light_config("slow")}
SECOND = FIRST | {
    "chat": light_config("chat", options={"max_ongoing_requests": 9}),
    "slow": light_config("slow", args={"startup_s": STARTUP_S}),
    "broken": light_config("broken", args={"build_fail": "no"}),
}


def desired(configs: Mapping[str, Any]) -> DesiredState:
    """The state in which exactly these applications are ours."""
    applications = (
        DesiredApplication(Application(config), None, Bundles(({"CPU": 0.001},)), 1, 1, Rollout(timeout_s=120.0))
        for _, config in sorted(configs.items())
    )
    return DesiredState("contract", OWNER, tuple(applications))


@dataclass
class Site:
    """A world to apply on, run after run."""

    world: World
    clock: Clock

    def plan(self, configs: Mapping[str, Any]) -> Plan:
        """What is to be done."""
        return build_plan(desired(configs), self.world.state(), address=ADDRESS, source=SOURCE, options=PlanOptions())

    def run(self, configs: Mapping[str, Any], record: Record) -> "Run":
        """Apply and write down, as the command line does."""
        outcomes = apply_plan(
            self.plan(configs),
            reader=self.world.reader,
            writer=self.world.writer,
            smoke=FakeSmoke(FakeServe()),
            provenance=record,
            emit=lambda event: None,
            clock=self.clock,
            stop=StopSignal(),
        )
        before = self.world.state()
        exchange = Exchange(self.world.reader, self.world.writer, self.clock)
        written_over = conclude(record, outcomes, held=0, owner=OWNER, exchange=exchange)
        assert written_over is not None
        settle(self.world.reader, written_over, self.clock)
        return Run({outcome.application: outcome for outcome in outcomes}, before, self.world.state())


@dataclass(frozen=True)
class Run:
    """One apply: its outcomes, and the cluster before and right after they were written down."""

    outcomes: dict[str, Outcome]
    before: LiveState
    after: LiveState


@dataclass(frozen=True)
class Story:
    """Two applies, the second with a model that fails."""

    first: Run
    second: Run
    later: LiveState
    """When everything has settled."""
    left: Plan
    """What would be done once more, without the model that fails."""


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    """Two applies beside somebody else's application."""
    if request.param == "fake":
        fake = FakeServe()
        site = Site(World(fake, fake, fake.advance), FakeClock(fake))
    else:
        site = Site(request.getfixturevalue("ray_world"), SystemClock())
    site.world.apply([NEIGHBOUR])
    first = site.run(FIRST, PROVENANCE)
    second = site.run(SECOND, replace(PROVENANCE, who="you"))
    left = {name: config for name, config in SECOND.items() if name != "broken"}
    yield Story(first, second, site.world.settle(), site.plan(left))


def test_every_replica_is_the_one_it_was(story: Story) -> None:
    for run in (story.first, story.second):
        for entry in run.before.applications:
            found = run.after.application(entry.name)
            assert found is not None and found.replica_ids == entry.replica_ids != (), entry.name
    assert story.later.applications and {entry.name: entry.replica_ids for entry in story.later.applications} == {
        entry.name: entry.replica_ids for entry in story.second.before.applications
    }


def test_everything_runs_when_it_is_written_down(story: Story) -> None:
    for run in (story.first, story.second):
        assert {entry.status for entry in run.after.applications} == {ApplicationStatus.RUNNING}


def test_both_runs_are_remembered_with_what_became_of_them(story: Story) -> None:
    second, first = history(story.later, OWNER)
    assert (first.who, first.counts, first.failed) == ("me", {"applied": 3}, Names())
    assert (second.who, second.counts) == ("you", {"applied": 2, "failed and rolled back": 1})
    assert second.failed == Names(("broken",))
    assert second.left == standing(story.later, OWNER) != first.left == standing(story.first.after, OWNER)


def test_load_times_are_those_of_the_replicas_that_started(story: Story) -> None:
    first, second = load_seconds(story.first.after), load_seconds(story.later)
    assert first.keys() == second.keys() == {"gateway", "chat", "slow"}
    assert story.second.outcomes["chat"].load_seconds is None
    assert second == {**first, "slow": second["slow"]}
    assert second["slow"] >= STARTUP_S


def test_nothing_is_left_to_do_and_no_plan_is_stale(story: Story) -> None:
    assert not story.left.has_changes
    for run in (story.first, story.second):
        assert run.before.fingerprint == run.after.fingerprint
