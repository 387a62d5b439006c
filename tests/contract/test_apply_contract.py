"""Carrying out a plan, on the fake and on real Ray alike, with applications that start in a second.

Starting replicas is slow, so each world lives through one story; every test looks at one part of it.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.document import Document
from reconciler.apply.errors import LiveChanged, LostUpdate
from reconciler.apply.events import Event, Progress
from reconciler.apply.executor import apply_plan
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.stop import StopSignal
from reconciler.plan.build import build_plan
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.registry.spec import Rollout
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.protocols import ServeWriter
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.json_value import same
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import PROVENANCE, FakeSmoke
from tests.support.states import ADDRESS, SOURCE
from tests.support.world import World

OWNER = "tests"
FAILURE = "CUDA out of memory. Tried to allocate 2.00 GiB"
THEIRS = {"owner": "somebody-else"}
NEIGHBOUR = light_config("neighbour", args=THEIRS, env={"COLOUR": "blue"}, route_prefix="/neighbour")

BEFORE = {
    "kept": light_config("kept"),
    "scaled": light_config("scaled"),
    "restarted": light_config("restarted", args={"text": "one"}),
    "dropped": light_config("dropped"),
    "broken": light_config("broken", args={"text": "one"}, route_prefix="/broken"),
}
AFTER = {
    "kept": BEFORE["kept"],
    "scaled": light_config("scaled", options={"max_ongoing_requests": 9}),
    "restarted": light_config("restarted", args={"text": "two"}),
    "broken": light_config("broken", args={"text": "two", "fail": FAILURE}, route_prefix="/broken"),
    "unborn": light_config("unborn", args={"fail": FAILURE}),
    "unbuilt": light_config("unbuilt", args={"build_fail": "ModuleNotFoundError: No module named 'nowhere'"}),
}
MENDED = {name: AFTER[name] for name in ("kept", "scaled", "restarted")} | {"broken": BEFORE["broken"]}


def desired(configs: Mapping[str, Any]) -> DesiredState:
    """The state in which exactly these applications are ours."""
    applications = (
        DesiredApplication(Application(config), None, Bundles(({"CPU": 0.001},)), 1, 1, Rollout(timeout_s=120.0))
        for _, config in sorted(configs.items())
    )
    return DesiredState("contract", OWNER, tuple(applications))


@dataclass
class Intruded:
    """A writer beside whom somebody else writes, once, right before or right after a PUT."""

    writer: ServeWriter
    body: Mapping[str, Any]
    first: bool = False
    done: bool = False

    def put(self, document: Mapping[str, Any]) -> None:
        if self.first and not self.done:
            self.writer.put(self.body)
        self.writer.put(document)
        if not self.first and not self.done:
            self.writer.put(self.body)
        self.done = True

    def upload_package(self, name: str, content: bytes) -> None:
        self.writer.upload_package(name, content)


@dataclass
class Counted:
    """A writer that counts."""

    writer: ServeWriter
    puts: int = 0

    def put(self, document: Mapping[str, Any]) -> None:
        self.puts += 1
        self.writer.put(document)

    def upload_package(self, name: str, content: bytes) -> None:
        self.writer.upload_package(name, content)


@dataclass
class Site:
    """A world to apply on."""

    world: World
    clock: Clock
    address: str | None
    """Where applications answer over HTTP, on real Ray."""
    events: list[Event] = field(default_factory=list)

    def plan(self, configs: Mapping[str, Any]) -> Plan:
        """What is to be done."""
        return build_plan(desired(configs), self.world.state(), address=ADDRESS, source=SOURCE, options=PlanOptions())

    def carry_out(self, plan: Plan, writer: ServeWriter | None = None) -> dict[str, Outcome]:
        """Do it."""
        outcomes = apply_plan(
            plan,
            reader=self.world.reader,
            writer=writer or self.world.writer,
            smoke=FakeSmoke(FakeServe()),
            provenance=PROVENANCE,
            emit=self.events.append,
            clock=self.clock,
            stop=StopSignal(),
        )
        return {outcome.application: outcome for outcome in outcomes}


@dataclass(frozen=True)
class Story:
    """What was seen after each step."""

    created: dict[str, Outcome]
    first: LiveState
    changed: dict[str, Outcome]
    second: LiveState
    answers: tuple[int, ...]
    """Status codes that `broken` answered throughout, on real Ray."""
    left: Plan
    """What is still to be done then."""
    puts_again: int
    """PUTs sent when the same is applied once more."""


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The fake and the real thing, with somebody else's application on it."""
    if request.param == "fake":
        fake = FakeServe()
        found = Site(World(fake, fake, fake.advance), FakeClock(fake), None)
    else:
        cluster: LocalCluster = request.getfixturevalue("ray_cluster")
        found = Site(request.getfixturevalue("ray_world"), SystemClock(), cluster.gateway_address)
    found.world.apply([NEIGHBOUR])
    yield found


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    """Create, then change, fail and delete, then again."""
    created = site.carry_out(site.plan(BEFORE))
    first = site.world.state()
    with asking(site.address and f"{site.address}/broken") as answers:
        changed = site.carry_out(site.plan(AFTER))
    second = site.world.settle()
    again = Counted(site.world.writer)
    site.carry_out(site.plan(MENDED), again)
    return Story(created, first, changed, second, tuple(answers), site.plan(AFTER), again.puts)


class asking:
    """Asks a URL again and again; the status codes of its answers, 0 for none."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._answers: list[int] = []

    def __enter__(self) -> list[int]:
        if self._url:
            self._thread.start()
        return self._answers

    def __exit__(self, *error: object) -> None:
        self._end.set()
        if self._url:
            self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=10) as http:
            while not self._end.wait(0.2):
                try:
                    self._answers.append(http.get(self._url or "").status_code)
                except httpx.HTTPError:
                    self._answers.append(0)


def application(state: LiveState, name: str) -> LiveApplication:
    """The application of that name, which has to be there."""
    found = state.application(name)
    assert found is not None, name
    return found


def test_creates_end_with_running_replicas(story: Story) -> None:
    assert {name: outcome.result for name, outcome in story.created.items()} == dict.fromkeys(BEFORE, Result.APPLIED)
    for name, outcome in story.created.items():
        assert outcome.replicas_after == application(story.first, name).replica_ids != ()


def test_a_change_in_place_keeps_the_replica(story: Story) -> None:
    outcome = story.changed["scaled"]
    assert (outcome.result, outcome.message) == (Result.APPLIED, "changed in place")
    assert outcome.replicas_before == outcome.replicas_after == application(story.second, "scaled").replica_ids
    assert application(story.second, "scaled").deployments[0].options["max_ongoing_requests"] == 9


def test_a_restart_ends_when_only_new_replicas_are_left(story: Story) -> None:
    outcome = story.changed["restarted"]
    assert outcome.result is Result.APPLIED
    assert outcome.replicas_before == application(story.first, "restarted").replica_ids
    assert set(outcome.replicas_before).isdisjoint(outcome.replicas_after)
    assert outcome.replicas_after == application(story.second, "restarted").replica_ids


def test_a_delete_ends_when_the_application_is_gone(story: Story) -> None:
    assert story.changed["dropped"].result is Result.APPLIED
    assert story.second.application("dropped") is None


def test_a_failed_update_goes_back_to_the_replica_that_served_all_along(story: Story, site: Site) -> None:
    outcome = story.changed["broken"]
    assert outcome.result is Result.ROLLED_BACK
    assert outcome.replicas_before == outcome.replicas_after == application(story.second, "broken").replica_ids
    assert application(story.second, "broken").status is ApplicationStatus.RUNNING
    if site.address:
        assert len(story.answers) > 10
        assert set(story.answers) == {200}


def test_the_cause_of_a_failure_is_read_from_the_log(story: Story) -> None:
    for name in ("broken", "unborn"):
        outcome = story.changed[name]
        assert outcome.cause is not None and outcome.cause.startswith("the GPU ran out of memory")
        assert any(FAILURE in line for line in outcome.log_excerpt)


def test_what_a_dead_replica_wrote_can_still_be_read(story: Story, site: Site) -> None:
    dead = application(story.second, "broken").deployments[0].recent_dead[-1]
    assert dead.actor_id is not None
    written = site.world.reader.actor_output(dead.actor_id)
    assert "ServeReplica:broken" in written if site.address else written == ""
    assert site.world.reader.actor_output("0" * 32) == ""


def test_a_create_that_fails_is_taken_out_again(story: Story) -> None:
    for name in ("unborn", "unbuilt"):
        assert story.changed[name].result is Result.ROLLED_BACK
        assert story.second.application(name) is None
    cause = story.changed["unbuilt"].cause
    assert cause is not None and "the code cannot be imported on the node: nowhere" in cause


def test_what_does_not_change_and_what_is_not_ours_stays(story: Story) -> None:
    for name in ("kept", "neighbour"):
        before, after = application(story.first, name), application(story.second, name)
        assert before.application == after.application
        assert before.replica_ids == after.replica_ids
    neighbour = application(story.second, "neighbour").application
    assert neighbour is not None and same(dict(neighbour.config), NEIGHBOUR)


def test_what_failed_is_all_that_is_left_to_do(story: Story) -> None:
    assert {action.name for action in story.left.actions} == {"broken", "unborn", "unbuilt"}


def test_applying_again_sends_nothing(story: Story) -> None:
    assert story.puts_again == 0


def test_progress_is_told_for_everything(story: Story, site: Site) -> None:
    assert {event.application for event in site.events if isinstance(event, Progress)} == BEFORE.keys() | AFTER.keys()


def test_a_cluster_that_changed_since_the_plan_is_left_alone(story: Story, site: Site) -> None:
    plan = site.plan({**MENDED, "kept": light_config("kept", options={"max_ongoing_requests": 7})})
    site.world.apply([*MENDED.values(), NEIGHBOUR, light_config("stranger", args=THEIRS)])
    counted = Counted(site.world.writer)
    with pytest.raises(LiveChanged) as raised:
        site.carry_out(plan, counted)
    assert raised.value.differences.appeared == ("stranger",)
    assert counted.puts == 0
    site.world.apply([*MENDED.values(), NEIGHBOUR])


def test_an_update_that_we_overwrite_is_noticed_and_named(story: Story, site: Site) -> None:
    plan = site.plan({**MENDED, "kept": light_config("kept", options={"max_ongoing_requests": 9})})
    edited = {**NEIGHBOUR, "args": {**NEIGHBOUR["args"], "text": "edited"}}
    body = Document.of_live(site.world.state()).with_config("neighbour", edited).body
    with pytest.raises(LostUpdate) as raised:
        site.carry_out(plan, Intruded(site.world.writer, body, first=True))
    assert raised.value.differences.changed == ("neighbour",)
    site.world.apply([*MENDED.values(), NEIGHBOUR])


def test_an_update_that_is_lost_is_noticed_and_named(story: Story, site: Site) -> None:
    plan = site.plan({**MENDED, "kept": light_config("kept", options={"max_ongoing_requests": 8})})
    body = Document.of_live(site.world.state()).with_config("neighbour", None).body
    with pytest.raises(LostUpdate) as raised:
        site.carry_out(plan, Intruded(site.world.writer, body))
    found = raised.value.differences
    assert (found.changed, found.vanished) == (("kept",), ("neighbour",))
    assert [outcome.result for outcome in raised.value.outcomes] == [Result.SKIPPED]
