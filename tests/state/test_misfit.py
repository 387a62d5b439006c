import pytest

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles
from reconciler.state.misfit import amounts, misfit

SMALL = {"GPU": 2.0, "CPU": 8.0}


def test_amounts_start_with_gpus() -> None:
    assert amounts({"CPU": 9.0, "accelerator_type:L4": 0.001, "GPU": 2.0}) == "2 GPU, 9 CPU, 0.001 accelerator_type:L4"
    assert amounts({}) == "nothing"


@pytest.mark.parametrize(
    ("replica", "nodes", "reason"),
    [
        (Bundles(({"GPU": 1.0},)), [], "finds no living node on the cluster"),
        (
            Bundles(({"GPU": 1.0, "accelerator_type:H100": 0.001},)),
            [SMALL],
            "needs `accelerator_type:H100`, which no node has",
        ),
        (Bundles(({"GPU": 4.0},)), [SMALL, SMALL], "needs 4 GPU on one node, the largest node has 2"),
        (
            Bundles(({"GPU": 1.0},) * 4, PlacementStrategy.STRICT_PACK),
            [SMALL, SMALL],
            "needs 4 GPU on one node, the largest node has 2",
        ),
        (Bundles(({"GPU": 1.0},) * 5), [SMALL, SMALL], "needs 5 GPU, the cluster has 4 in all"),
        (
            Bundles(({"GPU": 1.0},) * 3, PlacementStrategy.STRICT_SPREAD),
            [{"GPU": 8.0}, {"GPU": 8.0}],
            "needs 3 nodes (STRICT_SPREAD), the cluster has 2",
        ),
        (
            Bundles(({"GPU": 1.0, "CPU": 4.0},)),
            [{"GPU": 1.0, "CPU": 2.0}, {"CPU": 8.0}],
            "needs 1 GPU, 4 CPU on one node, and no node has that together",
        ),
        (
            Bundles(({"GPU": 2.0},) * 2, PlacementStrategy.STRICT_SPREAD),
            [{"GPU": 4.0}, {"GPU": 1.0}],
            "needs 4 GPU in 2 parts (STRICT_SPREAD), and no choice of nodes has them",
        ),
        (
            Bundles(({"GPU": 0.6},) * 3, PlacementStrategy.STRICT_PACK),
            [{"GPU": 2.0}],
            "needs 1.8 GPU on one node, and no node has that together; a fraction stays on one device "
            "(0.6 + 0.6 + 0.6 GPU)",
        ),
    ],
)
def test_the_reason_has_the_numbers(replica: Bundles, nodes: list[dict[str, float]], reason: str) -> None:
    assert misfit(replica, nodes) == reason
