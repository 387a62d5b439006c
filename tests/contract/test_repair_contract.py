"""Bringing Serve back from a stored config that it cannot read, on the fake and on a real Ray of its own alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.repair import Proof, look, prove, symptoms
from reconciler.apply.repair_job import RepairJob
from reconciler.serve.errors import PutRefused
from reconciler.serve.local.cluster import down, up
from reconciler.serve.protocols import ClusterJobs
from reconciler.serve.rest import RestClient
from reconciler.serve.stored import Remedy, StoredState
from reconciler.state.json_value import same
from reconciler.state.live import LiveState, UnknownState
from tests.conftest import AUTH
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config, light_package
from tests.support.world import World

SECRET = "hush-hush"
KILL = """\
python=$(readlink /proc/$PPID/exe)
export PYTHONPATH=$(grep -m1 -o '/[^ ]*/ray/_raylet' /proc/$PPID/maps | sed 's#/ray/_raylet##')
$python -c 'import ray; ray.init(address="auto")
ray.kill(ray.get_actor("SERVE_CONTROLLER_ACTOR", namespace="serve"), no_restart=False)'
"""
CONFIGS = {
    name: light_config(name, args={"text": name}, env={"SECRET": SECRET}, route_prefix=f"/{name}")
    for name in ("one", "poisoned", "two")
}


def poisoned() -> list[Any]:
    """The same, with an environment variable that is no text."""
    config = light_config("poisoned", args={"text": "new"}, env={"SECRET": SECRET, "FLAG": False}, route_prefix="/p")  # type: ignore[dict-item]
    return [CONFIGS["one"], config, CONFIGS["two"]]


@dataclass
class Site:
    """A world that a controller can be taken from."""

    world: World
    jobs: ClusterJobs
    clock: Clock
    kill: Callable[[], None]
    address: str | None
    texts: list[str] = field(default_factory=list)
    """Everything that a job wrote."""

    def poison(self) -> int:
        """Somebody else sends what Ray refuses; the status."""
        options = self.world.state().options
        with pytest.raises(PutRefused) as raised:
            self.world.writer.put({**options, "applications": poisoned()})
        return raised.value.status

    def asked(self) -> dict[str, int]:
        """What each application answers over HTTP, on real Ray."""
        return {name: httpx.get(f"{self.address}/{name}", timeout=10).status_code for name in CONFIGS if self.address}

    def repair(self) -> tuple[tuple[str, ...], StoredState, Proof]:
        """Look, mend and prove."""
        seen = symptoms(look(self.world.reader))
        job = RepairJob(self.jobs, self.clock)
        found = job.examine()
        job.mend()
        return seen, found, prove(self.world.reader, found, frozenset(), self.clock)


@dataclass(frozen=True)
class Story:
    """What was seen after each step."""

    first: LiveState
    refused: int
    seen: tuple[str, ...]
    found: StoredState
    proof: Proof
    mended: LiveState
    lost: LiveState | UnknownState
    """Poisoned again, and the controller killed."""
    served_meanwhile: dict[str, int]
    put_meanwhile: int
    seen_lost: tuple[str, ...]
    found_lost: StoredState
    proof_lost: Proof
    after: LiveState
    served_after: dict[str, int]
    again: StoredState


def kill_for_good(world: World, kill: Callable[[], None]) -> None:
    """Kill the controller and wait until it is gone."""
    kill()
    for _ in range(120):
        if isinstance(world.reader.live_state(), UnknownState):
            return
        world.pass_time(0.5)
    raise AssertionError("the controller came back")


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The fake, and a Ray that no other test needs."""
    if request.param == "fake":
        fake = FakeServe()
        yield Site(World(fake, fake, fake.advance), fake, FakeClock(fake), fake.kill_controller, None)
        return
    directory = tmp_path_factory.mktemp("sick")
    try:
        cluster = up(directory, auth=AUTH, num_cpus=4)
        with RestClient(cluster.dashboard_address, token=cluster.token) as client:
            package = light_package()
            client.upload_package(package.name, package.content)

            def kill() -> None:
                client.submit_job("kill", KILL, {})

            yield Site(World(client, client), client, SystemClock(), kill, cluster.gateway_address)
    finally:
        down(directory)


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    """Poison, repair; poison, kill, repair."""
    first = site.world.apply(CONFIGS.values())
    refused = site.poison()
    seen, found, proof = site.repair()
    mended = site.world.settle()
    site.poison()
    kill_for_good(site.world, site.kill)
    lost = site.world.reader.live_state()
    served_meanwhile = site.asked()
    with pytest.raises(PutRefused) as raised:
        site.world.writer.put({"applications": list(CONFIGS.values())})
    seen_lost, found_lost, proof_lost = site.repair()
    after = site.world.settle()
    return Story(
        first=first,
        refused=refused,
        seen=seen,
        found=found,
        proof=proof,
        mended=mended,
        lost=lost,
        served_meanwhile=served_meanwhile,
        put_meanwhile=raised.value.status,
        seen_lost=seen_lost,
        found_lost=found_lost,
        proof_lost=proof_lost,
        after=after,
        served_after=site.asked(),
        again=RepairJob(site.jobs, site.clock).examine(),
    )


def ids(state: LiveState) -> dict[str, tuple[str, ...]]:
    """The running replicas by application."""
    return {entry.name: entry.replica_ids for entry in state.applications}


def test_a_refused_config_is_stored_all_the_same(story: Story) -> None:
    assert story.refused == 400
    assert story.seen == ("the stored config of `poisoned` has environment variables that are not text: `FLAG`",)


def test_a_controller_that_starts_anew_does_not_come_up(story: Story) -> None:
    assert isinstance(story.lost, UnknownState) and story.lost.is_lost
    assert story.seen_lost == (story.lost.reason,)
    assert story.put_meanwhile == 500
    assert set(story.served_meanwhile.values()) <= {200}


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_stored_is_looked_at(story: Story, lost: bool) -> None:
    found = story.found_lost if lost else story.found
    assert found.controller_lives is not lost
    assert [entry.name for entry in found.applications] == ["one", "poisoned", "two"]
    [faulty] = found.faulty
    assert (faulty.name, faulty.remedy) == ("poisoned", Remedy.AS_IT_SERVES)
    assert faulty.fault == "`runtime_env.env_vars`: `FLAG` is not text"
    assert {entry.name: entry.replica_ids for entry in found.applications} == ids(story.first)


@pytest.mark.parametrize("lost", [False, True])
def test_a_repair_brings_everything_back_with_the_same_replicas(story: Story, lost: bool) -> None:
    proof, state = (story.proof_lost, story.after) if lost else (story.proof, story.mended)
    assert proof.missing == ()
    assert (proof.applications, proof.replicas) == (("one", "poisoned", "two"), 3)
    assert ids(state) == ids(story.first)
    for name, config in CONFIGS.items():
        entry = state.application(name)
        assert entry and entry.application and same(dict(entry.application.config), config)
    assert set(story.served_after.values()) <= {200}


def test_nothing_is_wrong_then(story: Story) -> None:
    assert story.again.faulty == ()
    assert story.again.controller_lives


def test_serve_answers_where_it_did(story: Story) -> None:
    assert same(story.after.options["http_options"], story.first.options["http_options"])
    assert same(story.after.options["grpc_options"], story.first.options["grpc_options"])


def test_no_value_of_an_environment_variable_is_in_a_job_s_output(story: Story, site: Site) -> None:
    names = [job.job_id for job in site.jobs.jobs() if job.job_id.startswith("reconciler-repair-")]
    assert len(names) == 5
    for name in names:
        assert SECRET not in site.jobs.job_output(name)
