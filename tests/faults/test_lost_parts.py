"""A part of the cluster dies in the middle of an apply on real Ray: Serve's controller, a replica, a node.

Ray brings each back by itself where it can. What is right for apply: wait for that, end as if nothing had happened, and
lose no request where an old replica serves on; where Ray cannot, say what is missing and converge once it is there.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.serve.local.cluster import add_node, down, up
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.processes import ProcessId
from reconciler.serve.rest import RestClient
from reconciler.state.live import ApplicationStatus
from tests.conftest import AUTH
from tests.faults.conftest import VERSIONS
from tests.faults.test_under_load import is_at
from tests.support.cli import Ran
from tests.support.fault_proxy import Request
from tests.support.load import load
from tests.support.nodes import lose
from tests.support.ray_rig import RayRig, ray_rigged
from tests.support.soak import sampled

pytestmark = pytest.mark.ray

CONTROLLER = "SERVE_CONTROLLER_ACTOR"
CHAT = "acme--chat"


def applied_while(rig: RayRig, moment: str, act: Callable[[], None]) -> Ran:
    """Apply in a process, and act at that moment: right `before` or `after` its PUT, or when `test_under_load` says."""
    before = rig.known_ids(CHAT)
    rig.proxy.calm()

    def once(request: Request) -> None:
        if request.is_put and rig.proxy.puts == 1:
            act()

    if moment == "before":
        rig.proxy.before = once
    elif moment == "after":
        rig.proxy.after = once
    process = rig.start()
    try:
        if moment not in ("before", "after"):
            while process.poll() is None and not (rig.proxy.answered_puts and is_at(moment, rig, CHAT, before)):
                time.sleep(0.1)
            assert process.poll() is None, "it ended before it could be disturbed"
            act()
        out, err = process.communicate()
    finally:
        process.kill()
    return Ran(process.returncode, out, err)


@pytest.mark.parametrize("moment", sampled(["before", "after", "middle", "late"], ["middle"]))
def test_the_controller_is_killed(moment: str, rig: RayRig) -> None:
    before = rig.live()
    version = next(VERSIONS)
    rig.write("chat", version=version, startup_s=2)
    with load(rig.cluster.gateway_address, "acme/chat") as asked:
        ran = applied_while(rig, moment, lambda: kill(rig, CONTROLLER))
    assert ran.code == 0, ran
    assert "Apply: 1 applied" in ran.out
    asked.assert_never_failed()
    assert version in asked.answers
    rig.assert_nothing_of_others_moved(before)
    assert "Nothing to do" in rig.apply().out


@pytest.mark.parametrize("whose", sampled(["new", "old", "neighbour's"], ["new"]))
def test_a_replica_is_killed(whose: str, rig: RayRig) -> None:
    before = rig.live()
    old = rig.replica_ids(CHAT)
    rig.write("chat", version=next(VERSIONS), startup_s=4)

    def act() -> None:
        if whose == "neighbour's":
            kill(rig, "SERVE_REPLICA::neighbour#")
            return
        [chosen] = old if whose == "old" else set(starting(rig, CHAT)) - set(old)
        kill(rig, chosen)

    ran = applied_while(rig, "middle", act)
    assert ran.code == 0, ran
    assert "Apply: 1 applied" in ran.out
    assert set(rig.replica_ids(CHAT)).isdisjoint(old)
    if whose == "neighbour's":
        rig.await_neighbour()
        then, now = before.application("neighbour"), rig.application("neighbour")
        assert then is not None and now.application == then.application
    else:
        rig.assert_nothing_of_others_moved(before)


@pytest.mark.soak
def test_nodes_are_lost(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two nodes that the model fits on: one is lost in the middle, and the other takes over; then that one is lost too,
    and nothing is left that the model could run on until a new node joins."""
    directory = tmp_path_factory.mktemp("nodes")
    side = NodeResources(4, 0, {"side": 4})
    try:
        cluster = up(directory, auth=AUTH, num_cpus=4)
        client = RestClient(cluster.dashboard_address, token=cluster.token)
        with client, ray_rigged(cluster, client, directory / "registry") as rig:
            # The neighbour runs already, on the one node there is: what is lost is never its node.
            nodes = [joined(directory, side) for _ in range(2)]
            before = rig.live()
            rig.write("chat", version=1, startup_s=3, timeout_s=60)
            file = rig.root / "acme--chat.yaml"
            on_the_side = "num_cpus_per_worker: 0.1\n  resources_per_worker: {side: 1}"
            text = file.read_text().replace("num_cpus_per_worker: 0.1", on_the_side)
            file.write_text(text)
            assert rig.apply().code == 0

            file.write_text(text.replace("max_num_seqs: 1", "max_num_seqs: 2"))
            ran = applied_while(rig, "middle", lambda: lose(nodes[0]))
            assert ran.code == 0, ran
            assert "Apply: 1 applied" in ran.out
            rig.assert_nothing_of_others_moved(before)
            assert len(rig.live().lost) == 1

            file.write_text(text.replace("max_num_seqs: 1", "max_num_seqs: 3"))
            ran = applied_while(rig, "middle", lambda: lose(nodes[1]))
            assert ran.code == 1, ran
            assert "no node has the resources that a replica needs" in ran.out + ran.err
            rig.assert_nothing_of_others_moved(before)

            joined(directory, side)
            assert len(rig.live().lost) == 1
            ran = rig.apply()
            assert ran.code == 0, ran
            assert rig.application(CHAT).status is ApplicationStatus.RUNNING
            assert "Nothing to do" in rig.apply().out
            rig.assert_nothing_of_others_moved(before)
    finally:
        down(directory)


def joined(directory: Path, resources: NodeResources) -> ProcessId:
    """One more node; the process that leads it."""
    return add_node(directory, resources).leaders[-1]


def starting(rig: RayRig, name: str) -> list[str]:
    """The ids of an application's replicas that have not started yet."""
    parts = rig.application(name).deployments
    return [replica.replica_id for part in parts for replica in part.replicas if replica.state == "STARTING"]


def kill(rig: RayRig, named: str) -> None:
    """`kill -9` for the actor that has this in its name, as soon as it has a process."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [actor for actor in rig.actors() if named in str(actor["name"]) and actor["pid"]]
        if found:
            os.kill(int(found[0]["pid"]), signal.SIGKILL)
            return
        time.sleep(0.1)
    raise AssertionError(f"no actor {named}")
