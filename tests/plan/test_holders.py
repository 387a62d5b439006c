from dataclasses import replace

import pytest

from reconciler.plan.holders import YOUNG_S, room_now
from reconciler.state.capacity import Bundles
from reconciler.state.live import LiveApplication, LiveState
from tests.support.states import desired, foreign, gpu_nodes, in_use, live, live_application, model

LOOKED_S = 1_000_000.0
STRICT = {"placement_strategy": "STRICT_PACK", "num_workers": 2}


def started(entry: LiveApplication, at_s: float) -> LiveApplication:
    """The application with replicas that began to start at that time."""
    parts = (
        replace(part, replicas=tuple(replace(one, started_s=at_s) for one in part.replicas))
        for part in entry.deployments
    )
    return replace(entry, deployments=tuple(parts))


def ours(**scaling: object) -> LiveApplication:
    """A model's application with one replica, on the first node."""
    return live_application(desired(model(scaling=scaling)).applications[1].application.config)


def report(*applications: LiveApplication, gpus_told: float = 0.0, looked_s: float | None = LOOKED_S) -> LiveState:
    """Two nodes of which so many GPUs each are told to be in use."""
    found = live(*applications, nodes=in_use(gpu_nodes(2), GPU=gpus_told))
    return replace(found, use_told_s=looked_s)


def gpus_free(found: LiveState) -> tuple[float, ...]:
    return tuple(node["GPU"] for node in room_now(found)[0].free)


@pytest.mark.parametrize("after_s", [-YOUNG_S + 1, 0.0, 3.0])
def test_a_replica_that_the_cluster_has_not_seen_yet_is_counted(after_s: float) -> None:
    assert gpus_free(report(started(ours(**STRICT), LOOKED_S + after_s))) == (6.0, 8.0)


def test_what_was_seen_is_not_counted_twice() -> None:
    assert gpus_free(report(started(ours(**STRICT), LOOKED_S), gpus_told=2.0)) == (6.0, 6.0)
    assert gpus_free(report(started(ours(**STRICT), LOOKED_S), gpus_told=5.0)) == (3.0, 3.0)


def test_older_replicas_beside_a_young_one_are_counted_too() -> None:
    old, young = started(ours(**STRICT), LOOKED_S - 2 * YOUNG_S), started(ours(**STRICT), LOOKED_S)
    young = replace(young, name="org--young")
    assert gpus_free(report(old, young, gpus_told=2.0)) == (4.0, 6.0)


def test_only_what_is_certainly_on_the_node_of_the_actor_is_counted_there() -> None:
    spread = {"placement_strategy": "SPREAD", "num_workers": 2, "num_cpus_per_worker": 1}
    room, _ = room_now(report(started(ours(**spread), LOOKED_S)))
    assert [node["GPU"] for node in room.free] == [8.0, 8.0]
    assert room.free[0]["CPU"] < room.free[1]["CPU"] == 64.0


@pytest.mark.parametrize(("strategy", "free"), [("STRICT_PACK", 5.0), ("SPREAD", 7.0), (None, 5.0)])
def test_somebody_else_s_replica_is_counted_by_what_its_deployment_says(strategy: str | None, free: float) -> None:
    entry = started(foreign(), LOOKED_S)
    options = {"placement_group_bundles": [{"GPU": 1.0}, {"GPU": 2.0}], "placement_group_strategy": strategy}
    entry = replace(entry, deployments=tuple(replace(part, options=options) for part in entry.deployments))
    assert gpus_free(report(entry)) == (free, 8.0)


def test_old_replicas_and_clusters_that_do_not_say_when_they_looked_are_believed() -> None:
    assert gpus_free(report(started(ours(**STRICT), LOOKED_S - 2 * YOUNG_S))) == (8.0, 8.0)
    assert gpus_free(report(started(ours(**STRICT), LOOKED_S), looked_s=None)) == (8.0, 8.0)


def test_no_more_is_in_use_than_a_node_has() -> None:
    entry = started(ours(placement_strategy="STRICT_PACK", num_workers=9), LOOKED_S)
    assert gpus_free(report(entry)) == (0.0, 8.0)


def test_fractions_that_the_cluster_has_not_seen_yet_are_on_devices_of_their_own() -> None:
    entry = ours(num_gpus_per_worker=0.6)
    pair = [started(replace(entry, name=name), LOOKED_S) for name in ("org--a", "org--b")]
    small = replace(report(*pair), nodes=in_use(gpu_nodes(1, 2)))
    room, _ = room_now(small)
    assert room.take(Bundles(({"GPU": 0.6},))) is None
    assert room.take(Bundles(({"GPU": 0.4},))) is not None
