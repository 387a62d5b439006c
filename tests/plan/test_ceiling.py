"""Warnings about models that cannot all reach their maximum at once."""

from typing import Any

import pytest

from reconciler.registry.registry import ModelEntry
from tests.plan.test_elastic import desired as elastic
from tests.support.states import deployed, desired, foreign, gpu_nodes, in_use, live, model, node, plan, replicas


def one(name: str, low: int, high: int, gpus: int = 1) -> ModelEntry:
    scaling = {"num_workers": gpus, "placement_strategy": "STRICT_PACK", "num_cpus_per_worker": 0}
    return model(f"org/{name}", scaling=scaling, deployment=replicas(low, high))


def warnings(state: Any, report: Any) -> list[str]:
    found = plan(state, report, allow_mass_change=True)
    return [text for text in found.warnings if "maximum" in text]


def test_models_of_fixed_size_and_those_that_all_fit_are_no_news() -> None:
    nodes = gpu_nodes(1, 4, 100)
    assert warnings(desired(one("a", 4, 4)), live(nodes=nodes)) == []
    assert warnings(desired(one("a", 1, 2), one("b", 1, 2)), live(nodes=nodes)) == []


def test_who_goes_short_is_told_with_the_numbers_and_who_starves_whom() -> None:
    state = desired(one("a", 1, 5), one("b", 1, 5), one("c", 1, 2))
    assert warnings(state, live(nodes=gpu_nodes(1, 8, 100))) == [
        "not all models reach their maximum at the same time: it takes 12 GPU, 13 CPU, there are 8 GPU, 100 CPU; "
        "climbing side by side they reach `org--a` 3 of 5, `org--b` 3 of 5",
        "at their maximum these starve each other: `org--a` and `org--b`",
    ]


def test_what_runs_already_and_what_is_others_is_counted_once() -> None:
    state = desired(one("a", 1, 4), one("b", 1, 4))
    nodes = in_use(gpu_nodes(1, 8, 100), GPU=4, CPU=4)
    # Two of the four in use are ours.
    assert warnings(state, deployed(state, foreign(), nodes=nodes))[0].startswith(
        "not all models reach their maximum at the same time: it takes 8 GPU, 9 CPU, there are 6 GPU,"
    )
    assert warnings(state, deployed(state, nodes=in_use(gpu_nodes(1, 8, 100), GPU=2, CPU=3))) == []


def test_three_that_fit_in_pairs_starve_only_together() -> None:
    state = desired(*(one(name, 1, 3) for name in "abc"))
    (told,) = warnings(state, live(nodes=gpu_nodes(1, 8, 100)))
    assert told.endswith("climbing side by side they reach `org--c` 2 of 3")


def test_many_are_counted_not_listed() -> None:
    state = desired(*(one(f"m{number}", 0, 2) for number in range(8)))
    told = warnings(state, live(nodes=gpu_nodes(1, 2, 100)))
    assert "and 3 others" in told[0]
    assert told[1].endswith(", and 23 more pairs")


def test_what_does_not_even_fit_at_its_minimum_is_held_and_not_warned_of() -> None:
    assert warnings(desired(one("a", 3, 9), one("b", 3, 9)), live(nodes=gpu_nodes(1, 4, 100))) == []


def test_nodes_that_may_be_added_count() -> None:
    assert warnings(elastic(one("a", 1, 8), one("b", 1, 3)), live(nodes=[node(CPU=64)])) == []
    assert warnings(elastic(one("a", 1, 8), one("b", 1, 4)), live(nodes=[node(CPU=64)])) != []


@pytest.mark.parametrize(("gpus", "warned"), [(900, False), (500, True)])
def test_of_very_many_models_only_the_sums_are_compared(gpus: int, warned: bool) -> None:
    state = desired(*(one(f"m{number}", 1, 2) for number in range(400)))
    told = warnings(state, deployed(state, nodes=in_use([node(GPU=gpus, CPU=9000)], GPU=400, CPU=401)))
    assert told == (
        [
            "not all models reach their maximum at the same time: above their minimum they may ask for 400 GPU, "
            "100 are there"
        ]
        if warned
        else []
    )


def test_many_unlike_pairs_are_not_all_tried() -> None:
    state = desired(*(one(f"m{number}", 0, number + 1) for number in range(25)))
    assert warnings(state, live(nodes=gpu_nodes(1, 26, 100)))[-1].startswith("at their maximum these starve each other")


def test_the_sums_at_the_maximum_are_in_the_plan() -> None:
    found = plan(desired(one("a", 1, 5, gpus=2)), live(nodes=gpu_nodes(2)))
    assert found.capacity.ceiling == {"CPU": 6, "GPU": 10}
