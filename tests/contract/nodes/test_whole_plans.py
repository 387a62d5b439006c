"""Whole plans on a real Ray cluster of several nodes with logical GPUs: what a plan calls feasible runs once it is
applied, and what it holds for lack of room stays pending when somebody sends it all the same."""

import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Any

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from reconciler.state.live import ApplicationStatus
from tests.support.nodes import driver
from tests.support.ray_rig import RayRig, ray_rigged
from tests.support.soak import sampled

pytestmark = pytest.mark.ray

SEEDS = sampled(range(10), [0])
PENDING_S = 3.0
"""How long what does not fit is watched, once Ray has begun to look for room."""
PATIENCE_S = 120.0
MODEL = """\
engine_config:
  model_id: acme/{name}
  engine_kwargs: {{max_num_seqs: {version}}}
  runtime_env: {{env_vars: {{STARTUP_S: "0"}}}}
deployment_config:
  autoscaling_config: {{min_replicas: {replicas}, max_replicas: {replicas}}}
  graceful_shutdown_timeout_s: 5
  graceful_shutdown_wait_loop_s: 0.1
scaling_config: {scaling}
rollout: {{timeout_s: 120}}
"""
_version = count(1)


@pytest.fixture(scope="module")
def nodes(cluster_of_four: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayRig]:
    """The gateway and the neighbour, which take no GPU, on nodes with 4, 3 and 2 of them."""
    cluster = cluster_of_four
    with (
        RestClient(cluster.dashboard_address, token=cluster.token) as client,
        ray_rigged(cluster, client, tmp_path_factory.mktemp("rig") / "registry") as rig,
    ):
        assert rig.apply().code == 0
        yield rig


@pytest.fixture
def rig(nodes: RayRig) -> Iterator[RayRig]:
    """The same without any model, before and after."""
    yield nodes
    for file in nodes.root.glob("*.yaml"):
        file.unlink()
    assert nodes.apply("--allow-delete", "--allow-mass-change").code == 0


def write(
    rig: RayRig,
    name: str,
    *bundles: dict[str, float],
    strategy: str = "PACK",
    replicas: int = 1,
    version: int | None = None,
) -> None:
    """A model whose replicas ask for that placement group; of a version of its own where none is given."""
    scaling = json.dumps({"bundles": bundles, "placement_strategy": strategy})
    version = next(_version) if version is None else version
    text = MODEL.format(name=name, version=version, replicas=replicas, scaling=scaling)
    (rig.root / f"acme--{name}.yaml").write_text(text)


def planned(rig: RayRig) -> dict[str, Any]:
    """The plan, as programs read it."""
    ran = rig.run("plan", "--format", "json")
    assert ran.code == 0, ran
    return dict(json.loads(ran.out))


def feasible(plan: dict[str, Any]) -> set[str]:
    """The models that the plan creates or changes."""
    return {action["application"] for wave in plan["waves"] for action in wave["actions"]} - {"gateway"}


def held(plan: dict[str, Any]) -> dict[str, str]:
    """What the plan holds, and for which reason."""
    return {hold["action"]["application"]: hold["guard"] for hold in plan["holds"]}


def lucky(plan: dict[str, Any]) -> set[str]:
    """Those of them that find a place only if Ray chooses well, as the plan says."""
    warnings = [warning for warning in plan["warnings"] if "only if Ray happens" in warning]
    return {name for warning in warnings for name in re.findall(r"`(acme--\w+)`", warning)}


def assert_runs(rig: RayRig, names: set[str]) -> None:
    """Every replica of these runs."""
    for name in names:
        entry = rig.application(name)
        assert entry.status is ApplicationStatus.RUNNING, (name, entry)
        assert len(entry.replica_ids) == sum(part.target_num_replicas for part in entry.deployments) > 0


def force(rig: RayRig, names: set[str], *, surge: int = 0) -> None:
    """Somebody sends what the plan holds, beside everything that is live."""
    offline = json.loads(rig.run("render", "--offline", "--format", "json").out)
    live = rig.live()
    configs = {entry.name: entry.application.config for entry in live.applications if entry.application}
    for config in offline["applications"]:
        if config["name"] in names:
            for deployment in config["deployments"]:
                deployment["max_surge_percent"] = surge
            configs[config["name"]] = config
    rig.client.put({**live.options, "applications": list(configs.values())})


def groups(rig: RayRig, name: str) -> list[str]:
    """The states of the placement groups that Ray has for the replicas of an application."""
    rows = rig.rows("placement_groups")
    return [row["state"] for row in rows if f"{name}#" in str(row["name"]) and row["state"] != "REMOVED"]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.25)


def assert_stays_pending(rig: RayRig, names: set[str]) -> None:
    """Ray looks for room for each of these and finds none for at least one replica."""
    for name in names:
        until(lambda: "PENDING" in groups(rig, name))  # noqa: B023
    time.sleep(PENDING_S)
    for name in names:
        assert "PENDING" in groups(rig, name), name
        assert rig.application(name).status is ApplicationStatus.DEPLOYING


def await_look(rig: RayRig) -> None:
    """Wait until the cluster says what is in use on its nodes from now on: it looks every five seconds, and hears from
    a node a moment after something changed there."""
    settled = time.time() + 1.0
    until(lambda: (rig.live().use_told_s or 0.0) > settled)


def some_models(rig: RayRig, random: Random) -> set[str]:
    """As many as fill the nodes, and more."""
    names = {f"m{number}" for number in range(random.choice([4, 5]))}
    for name in sorted(names):
        size = random.choice([1, 1, 2, 3])
        bundles = [{"GPU": random.choice([0.5, 0.6, 1.0, 1.0, 2.0])} for _ in range(size)]
        if random.random() < 0.3:
            bundles[-1][random.choice(["accelerator_type:L4", "big"])] = 0.001
        strategy = random.choice(["PACK", "STRICT_PACK", "SPREAD", "STRICT_SPREAD"])
        write(rig, name, *bundles, strategy=strategy, replicas=random.choice([1, 1, 2]))
    return {f"acme--{name}" for name in names}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_feasible_runs_and_what_is_held_stays_pending(seed: int, rig: RayRig) -> None:
    names = some_models(rig, Random(seed))
    plan = planned(rig)
    assert feasible(plan) | held(plan).keys() == names
    assert set(held(plan).values()) <= {"never-fits", "does-not-fit-now"}
    ran = rig.apply()
    assert_runs(rig, feasible(plan) - lucky(plan))
    if lucky(plan):
        # One that was rolled back leaves room for what was held.
        return
    assert ran.code == (1 if held(plan) else 0), ran
    force(rig, set(held(plan)))
    assert_stays_pending(rig, set(held(plan)))
    assert_runs(rig, feasible(plan))


def test_all_kinds_of_room_at_once(rig: RayRig) -> None:
    write(rig, "apart", {"GPU": 1}, {"GPU": 1}, {"GPU": 1}, strategy="STRICT_SPREAD")
    write(rig, "card", {"GPU": 0.5, "accelerator_type:L4": 0.5}, replicas=2)
    write(rig, "together", {"GPU": 2}, {"GPU": 1}, strategy="STRICT_PACK")
    write(rig, "too-large", {"GPU": 5})
    write(rig, "too-wide", {"GPU": 1}, {"GPU": 1}, {"GPU": 1}, {"GPU": 1}, strategy="STRICT_SPREAD")
    write(rig, "no-card-left", {"GPU": 0.6, "accelerator_type:L4": 0.001})
    plan = planned(rig)
    assert feasible(plan) == {"acme--apart", "acme--card", "acme--together"}
    assert held(plan) == {
        "acme--too-large": "never-fits",
        "acme--too-wide": "never-fits",
        "acme--no-card-left": "does-not-fit-now",
    }
    assert rig.apply().code == 1
    assert_runs(rig, feasible(plan))
    force(rig, set(held(plan)))
    assert_stays_pending(rig, set(held(plan)))


def test_room_is_made_before_it_is_taken(rig: RayRig) -> None:
    write(rig, "shrinks", {"GPU": 3}, replicas=2, version=0)
    write(rig, "surges", {"GPU": 1, "accelerator_type:L4": 0.001})
    assert rig.apply().code == 0
    write(rig, "shrinks", {"GPU": 3}, version=0)
    write(rig, "surges", {"GPU": 1, "accelerator_type:L4": 0.001})
    write(rig, "grows", {"GPU": 3}, strategy="STRICT_PACK")
    plan = planned(rig)
    assert not plan["holds"]
    steps = [{action["application"] for action in wave["actions"]} for wave in plan["waves"]]
    assert "acme--shrinks" in steps[0] and "acme--grows" in steps[-1] and len(steps) > 1
    old = rig.replica_ids("acme--surges")
    ran = rig.apply()
    assert ran.code == 0, ran
    assert_runs(rig, {"acme--shrinks", "acme--surges", "acme--grows"})
    assert set(rig.replica_ids("acme--surges")).isdisjoint(old)


def test_a_restart_without_room_beside_it_is_held_and_would_wait(rig: RayRig) -> None:
    write(rig, "large", {"GPU": 4})
    assert rig.apply().code == 0
    serving = rig.replica_ids("acme--large")
    write(rig, "large", {"GPU": 4})
    assert held(planned(rig)) == {"acme--large": "needs-room"}
    force(rig, {"acme--large"}, surge=100)
    assert_stays_pending(rig, {"acme--large"})
    assert rig.replica_ids("acme--large") == serving


def test_what_somebody_else_holds_is_not_there_until_it_is_given_back(rig: RayRig) -> None:
    write(rig, "large", {"GPU": 4})
    with driver(rig.cluster) as somebody:
        assert somebody.make([{"GPU": 1, "big": 0.001}], "PACK", 20.0) is not None
        await_look(rig)
        plan = planned(rig)
        assert held(plan) == {"acme--large": "does-not-fit-now"}
        assert "others on the cluster 1" in plan["holds"][0]["reason"]
        force(rig, {"acme--large"})
        assert_stays_pending(rig, {"acme--large"})
    # The job of that driver has ended, and what it held is free: Ray goes on by itself.
    until(lambda: rig.application("acme--large").status is ApplicationStatus.RUNNING)
