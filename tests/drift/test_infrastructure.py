"""The cluster under the applications."""

from dataclasses import replace

from reconciler.drift.compare import Background, find_drift
from reconciler.drift.ignore import IgnoreRule
from reconciler.drift.report import DriftReport, FindingKind
from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ClusterEntry
from reconciler.state.live import LostNode
from tests.support.states import CLUSTER, deployed, desired, gpu_nodes, model, node

L4 = {"GPU": 1.0, "CPU": 8.0, "accelerator_type:L4": 1.0}


def told(report: DriftReport) -> list[tuple[str, str]]:
    assert all(finding.application == "" and finding.kind is FindingKind.CLUSTER for finding in report.findings)
    return [(field.change.path, finding.message) for finding in report.findings for field in finding.fields]


def growing(least: int) -> ClusterEntry:
    """A cluster whose file says that so many nodes are always there."""
    document = CLUSTER.cluster.model_dump(exclude_none=True)
    types = {"l4": {"resources": L4, "min_workers": least, "max_workers": 8}}
    return replace(CLUSTER, cluster=Cluster.model_validate({**document, "node_types": types}))


def test_an_accelerator_that_no_node_has_is_told() -> None:
    state = desired(model("org/a", scaling={"resources_per_worker": {"accelerator_type:L4": 0.01}}))
    assert told(find_drift(state, deployed(state, nodes=gpu_nodes(1)))) == [
        ("accelerators.L4", "no node has an accelerator of the type `L4`, which `org--a` asks for")
    ]


def test_fewer_nodes_of_a_type_than_the_cluster_file_says_are_told() -> None:
    state = desired(model("org/a"), cluster=growing(2))
    message = "1 node of the type `l4` alive; the cluster file says at least 2"
    head = node(9, CPU=4.0)
    assert told(find_drift(state, deployed(state, nodes=(head, node(0, **L4))))) == [("nodes.l4", message)]
    assert not find_drift(state, deployed(state, nodes=(head, node(0, **L4), node(1, **L4)))).has_drift
    one = desired(model("org/a"), cluster=growing(1))
    assert not find_drift(one, deployed(one, nodes=(head, node(0, **L4)))).has_drift


def test_nodes_that_were_lost_are_named_with_what_they_had() -> None:
    state = desired(model("org/a"))
    lost = (
        LostNode("aaaaaaaaaaaaaaaa", "10.0.0.7", L4, None, "Unexpected termination: health check failed", 1772e6),
        LostNode("bbbbbbbbbbbbbbbb", "", {}, "spot", "Terminated due to preemption", 0),
    )
    report = find_drift(state, replace(deployed(state), lost=lost))
    assert told(report) == [
        (
            "nodes.lost",
            "2 nodes lost and not replaced: `aaaaaaaaaaaa` (10.0.0.7, 1 L4, Unexpected termination: health check "
            "failed); `bbbbbbbbbbbb` (spot, Terminated due to preemption)",
        )
    ]
    assert report.findings[0].since == "2026-02-25T06:13:20+00:00"
    many = find_drift(state, replace(deployed(state), lost=lost[1:] * 7))
    assert many.findings[0].message.endswith(" and 2 more")
    assert many.findings[0].since is None


def test_another_ray_than_the_one_that_is_known_is_told() -> None:
    state = desired(model("org/a"))
    [(path, message)] = told(find_drift(state, deployed(state, version="2.61.0")))
    assert (path, message) == (
        "ray_version",
        "Ray 2.61.0 runs there; the rules of this reconcile are proven for 2.60",
    )
    assert not find_drift(state, deployed(state, version="2.60.1")).has_drift


def test_what_is_known_of_the_cluster_may_be_ignored() -> None:
    state = desired(model("org/a"))
    report = deployed(state, version="2.61.0")
    assert not find_drift(state, report, Background(rules=(IgnoreRule("", "ray_*", "being tried"),))).has_drift
    assert find_drift(state, report, Background(rules=(IgnoreRule("org--a", None, "no"),))).has_drift
