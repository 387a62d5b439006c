"""A node that dies by itself, as a real cluster tells it."""

import time

import pytest

from reconciler.serve.local.cluster import add_node
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.record import LocalCluster
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState
from tests.support.nodes import lose

pytestmark = pytest.mark.ray

NOTICED_S = 120.0
"""Ray asks a raylet for half a minute before it takes it for dead."""


def test_it_is_lost_with_what_it_had(cluster_of_four: LocalCluster) -> None:
    grown = add_node(cluster_of_four.directory, NodeResources(2, 1, {"accelerator_type:A10G": 1}))
    with RestClient(grown.dashboard_address, token=grown.token) as client:

        def state() -> LiveState:
            found = client.live_state()
            assert isinstance(found, LiveState)
            return found

        before = state()
        assert before.lost == ()
        lose(grown.leaders[-1])
        deadline = time.monotonic() + NOTICED_S
        while not (now := state()).lost:
            assert time.monotonic() < deadline
            time.sleep(1)
    [lost] = now.lost
    assert {node.node_id for node in before.nodes} - {node.node_id for node in now.nodes} == {lost.node_id}
    assert (lost.total["GPU"], lost.total["accelerator_type:A10G"]) == (1, 1)
    assert lost.why.startswith("Unexpected termination")
    assert lost.lost_s > 0
