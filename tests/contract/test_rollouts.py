"""How replicas are replaced, as the plan says it, against what happens to them: how many serve at every moment, whether
service is lost, and what an autoscaled count becomes. One model at a time on a cluster that it fills."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from reconciler.plan.plan import Action, Plan
from reconciler.registry.choices import RolloutStrategy
from reconciler.registry.registry import ClusterEntry, ModelEntry
from reconciler.serve.local.cluster import LocalCluster
from reconciler.state.desired import DesiredState
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.runtime_packages import RuntimePackages
from tests.support import states
from tests.support.fake_serve import FakeServe
from tests.support.ray_rig import light_runtime
from tests.support.world import World

NAME, MODEL_ID = "org--a", "org/a"
CPUS = 16.0
"""What the cluster has."""
STARTUP_S = 3.0
"""How long a replica takes to start, in its constructor."""
PACKAGE = light_runtime()
PACKAGES = RuntimePackages(PACKAGE.uri, PACKAGE.uri)
GATEWAY = {"address": "http://ray:8000", "num_cpus": 0.0}
CLUSTER = ClusterEntry(
    states.CLUSTER.name,
    states.CLUSTER.file,
    type(states.CLUSTER.cluster).model_validate({**states.CLUSTER.cluster.model_dump(), "gateway": GATEWAY}),
)


@dataclass
class Place:
    """A cluster to roll something out on."""

    world: World
    gateway_address: str | None
    """Where models answer, on real Ray."""

    def bring(self, wanted: DesiredState) -> LiveState:
        """Deploy it and wait until the nodes say what it takes: on real Ray that is seconds old."""
        configs = [entry.application.config for entry in wanted.applications]
        # Without the model of the test before, whose room it needs.
        self.world.apply(configs[:1])
        state = self.world.apply(configs)
        needed = sum(entry.bundles.total.get("CPU", 0.0) * entry.min_replicas for entry in wanted.applications)
        deadline = time.monotonic() + 60
        while abs(sum(node.used.get("CPU", 0.0) for node in state.nodes) - needed) > 0.01:
            assert time.monotonic() < deadline, state.nodes
            self.world.pass_time(0.5)
            state = self.world.state()
        return state

    def watch(self, plan: Plan) -> "Watched":
        """Carry the plan's only wave out and look at the model until nothing moves any more."""
        [wave] = plan.waves
        seen = Watched()
        stop = threading.Event()
        asking = threading.Thread(target=self._ask, args=(seen, stop))
        asking.start()
        try:
            self.world.writer.put(wave.document)
            calm = 0
            while calm < 3:
                self.world.pass_time(0.1)
                entry = self.world.state().application(NAME)
                assert entry is not None
                if entry.deployments:
                    seen.serving.append(len(entry.replica_ids))
                replicas = [replica for deployment in entry.deployments for replica in deployment.replicas]
                settled = entry.status is ApplicationStatus.RUNNING and all(one.state == "RUNNING" for one in replicas)
                calm = calm + 1 if settled else 0
        finally:
            stop.set()
            asking.join()
        return seen

    def _ask(self, seen: "Watched", stop: threading.Event) -> None:
        if self.gateway_address is None:
            return
        with httpx.Client(base_url=self.gateway_address, timeout=60) as http:
            last = time.monotonic()
            while not stop.wait(0.05):
                seen.answers.append(http.post("/v1/chat/completions", json={"model": MODEL_ID}).status_code)
                seen.gap_s = max(seen.gap_s, time.monotonic() - last)
                last = time.monotonic()


@dataclass
class Watched:
    """What was seen while replicas were replaced."""

    serving: list[int] = field(default_factory=list)
    """How many replicas served, look by look."""
    answers: list[int] = field(default_factory=list)
    """Status codes of requests made throughout, on real Ray."""
    gap_s: float = 0.0
    """The longest time without an answer."""


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The fake and the real thing."""
    if request.param == "fake":
        fake = FakeServe({"node-1": {"CPU": CPUS}})
        yield Place(World(fake, fake, fake.advance), None)
    else:
        cluster: LocalCluster = request.getfixturevalue("ray_cluster")
        world: World = request.getfixturevalue("ray_world")
        world.writer.upload_package(PACKAGE.name, PACKAGE.content)
        yield Place(world, cluster.gateway_address)


def model(
    count: int, num_cpus: float, version: int, *, scaling: dict[str, Any] | None = None, **rollout: Any
) -> ModelEntry:
    """A model of `count` replicas with so many CPUs each; another version restarts it."""
    deployment = states.replicas(count) if scaling is None else {"autoscaling_config": scaling}
    return states.model(
        MODEL_ID,
        engine={"engine_kwargs": {"max_num_seqs": version}, "runtime_env": {"env_vars": {"STARTUP_S": str(STARTUP_S)}}},
        deployment={
            **deployment,
            "ray_actor_options": {"num_cpus": 0.0},
            "graceful_shutdown_timeout_s": 5.0,
            "graceful_shutdown_wait_loop_s": 0.1,
        },
        scaling={"num_gpus_per_worker": 0.0, "num_cpus_per_worker": num_cpus},
        rollout={"load_time_s": STARTUP_S, **rollout},
    )


def wanted(entry: ModelEntry) -> DesiredState:
    """The model behind its gateway."""
    return states.desired(entry, packages=PACKAGES, cluster=CLUSTER)


def planned(plan: Plan) -> Action:
    """The action on the model."""
    return next(action for action in plan.actions if action.name == NAME)


CASES: dict[str, tuple[int, float, dict[str, Any], RolloutStrategy, int]] = {
    # replicas, CPUs each, the model's wish; how they are replaced, and how many serve at least
    "surge": (1, 2, {}, RolloutStrategy.SURGE, 1),
    "surge-of-some": (3, 4, {}, RolloutStrategy.SURGE, 3),
    "rolling-one-of-two": (2, 8, {"strategy": "rolling", "max_unavailable": 1}, RolloutStrategy.ROLLING, 1),
    "rolling": (4, 4, {"strategy": "rolling"}, RolloutStrategy.ROLLING, 3),
    "rolling-two": (4, 4, {"strategy": "rolling", "max_unavailable": 2}, RolloutStrategy.ROLLING, 2),
    "rolling-three-quarters": (4, 4, {"strategy": "rolling", "max_unavailable": "75%"}, RolloutStrategy.ROLLING, 1),
    "rolling-the-only-one": (1, 9, {"strategy": "rolling", "max_unavailable": 1}, RolloutStrategy.ROLLING, 0),
    "recreate": (2, 8, {"strategy": "recreate"}, RolloutStrategy.RECREATE, 0),
}


IN_EVERY_RUN = ("surge", "rolling-one-of-two", "rolling-the-only-one", "recreate")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *(pytest.param("fake", name, id=f"fake-{name}") for name in CASES),
        *(pytest.param("ray", name, id=f"ray-{name}", marks=pytest.mark.ray) for name in IN_EVERY_RUN),
        *(
            pytest.param("ray", name, id=f"ray-{name}", marks=(pytest.mark.ray, pytest.mark.soak))
            for name in CASES
            if name not in IN_EVERY_RUN
        ),
    ],
    indirect=["place"],
)
def test_as_many_replicas_serve_as_the_plan_says(name: str, place: Place) -> None:
    count, num_cpus, wish, strategy, serving = CASES[name]
    before = place.bring(wanted(model(count, num_cpus, 1, **wish)))
    plan = states.plan(wanted(model(count, num_cpus, 2, **wish)), before)
    action = planned(plan)
    assert action.rollout is not None and action.cost is not None
    assert (action.rollout.strategy, action.rollout.serving) == (strategy, serving)
    seen = place.watch(plan)
    if strategy is RolloutStrategy.SURGE:
        assert min(seen.serving) >= serving
    else:
        assert min(seen.serving) == serving
    assert set(seen.answers) <= {200} or not serving
    after = place.world.state().application(NAME)
    old = before.application(NAME)
    assert after is not None and old is not None
    assert len(after.replica_ids) == count
    assert set(after.replica_ids).isdisjoint(old.replica_ids)
    assert action.cost.without_service is not None
    if place.gateway_address is not None:
        assert len(seen.answers) > 5
        # That it is not longer than predicted is seen in other ways: no test depends on the time a machine takes.
        assert seen.gap_s >= action.cost.without_service.least


@pytest.mark.soak
def test_a_replica_that_is_added_is_waited_for_before_any_other_stops(place: Place) -> None:
    wish = {"strategy": "rolling", "max_unavailable": 1}
    before = place.bring(wanted(model(3, 4, 1, **wish)))
    plan = states.plan(wanted(model(4, 4, 2, **wish)), before)
    action = planned(plan)
    assert action.rollout is not None
    assert action.rollout.serving == 3
    assert min(place.watch(plan).serving) == 3


@pytest.mark.soak
def test_without_room_for_what_is_added_a_small_batch_would_wait_for_ever(place: Place) -> None:
    wish = {"strategy": "rolling", "max_unavailable": 1}
    before = place.bring(wanted(model(2, 6, 1, **wish)))
    after = wanted(model(3, 5, 2, **wish))
    assert [hold.guard for hold in states.plan(after, before).holds] == ["needs-room"]
    # What the plan would not do, done all the same: nothing moves.
    place.world.put([entry.application.config for entry in after.applications])
    place.world.pass_time(3 * STARTUP_S)
    there = place.world.state().application(NAME)
    old = before.application(NAME)
    assert there is not None and old is not None
    assert set(old.replica_ids) <= set(there.replica_ids)
    assert there.status is ApplicationStatus.DEPLOYING
    larger = wanted(model(3, 5, 2, strategy="rolling", max_unavailable=2))
    action = planned(states.plan(larger, before))
    assert action.rollout is not None
    assert (action.rollout.batch, action.rollout.serving) == (2, 1)


def test_what_becomes_of_an_autoscaled_count(place: Place) -> None:
    def scaled(**bounds: int) -> DesiredState:
        return wanted(model(3, 2, 1, scaling={"min_replicas": 1, "max_replicas": 3, **bounds}))

    def after(**bounds: int) -> tuple[int, tuple[str, ...], int]:
        """What is predicted, with its warnings, and what comes of it."""
        plan = states.plan(scaled(**bounds), place.world.state())
        place.world.writer.put(plan.waves[0].document)
        live = place.world.settle().application(NAME)
        assert live is not None
        return planned(plan).replicas_after, plan.warnings, len(live.replica_ids)

    place.bring(wanted(model(3, 2, 1)))
    # The lower bound goes down, the count stays: the autoscaler waits ten minutes before it takes anything away.
    assert after() == (3, (), 3)
    predicted, warnings, running = after(max_replicas=2)
    assert (predicted, running) == (2, 2)
    assert "stops 1" in warnings[0]
    predicted, warnings, running = after(max_replicas=2, initial_replicas=1)
    assert (predicted, running) == (1, 1)
    assert "`initial_replicas`" in warnings[0]
