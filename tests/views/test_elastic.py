"""What the views say of nodes that the cluster's autoscaler has yet to add."""

from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.plan_words import waiting
from tests.plan.test_elastic import desired, head_only, one
from tests.support.states import plan


def test_what_a_model_waits_for_is_said_in_words() -> None:
    assert waiting({}) == ""
    assert waiting({"l4": 1}) == "fits after 1 more l4 node, which the autoscaler has to add"
    assert waiting({"a100": 1, "l4": 2}).startswith("fits after 1 more a100 node and 2 more l4 nodes,")


def test_text_says_which_nodes_are_missing_and_how_large_the_cluster_may_get() -> None:
    lines = plan_text(plan(desired(one("org/a", count=2)), head_only())).splitlines()
    assert "    fits after 2 more l4-small nodes, which the autoscaler has to add" in lines
    assert "  nodes that the autoscaler has to add: 2 l4-small" in lines
    assert "  with every node that it may add the cluster has 11 GPU, 128 CPU" in lines


def test_markdown_says_it_too() -> None:
    told = plan_markdown(plan(desired(one("org/a", count=2)), head_only()))
    assert "<br>fits after 2 more l4-small nodes, which the autoscaler has to add" in told
    assert "\nnodes that the autoscaler has to add: 2 l4-small.\n" in told


def test_a_cluster_of_fixed_size_is_not_told_about_it() -> None:
    assert "autoscaler" not in plan_text(plan(desired(types={}), head_only()))
