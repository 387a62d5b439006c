from dataclasses import replace

import pytest

from reconciler.plan.change import Impact
from reconciler.plan.cost import NEVER, Basis, Cost, LimitBasis, LoadTime, Span
from reconciler.plan.plan import ActionKind
from reconciler.views import cost_words
from tests.support import samples

MEASURED = LoadTime(95.0, Basis.MEASURED)


@pytest.mark.parametrize(
    ("cost", "replicas", "text"),
    [
        (None, 1, ""),
        (Cost(MEASURED, Span(95, 95), NEVER, NEVER, 1), 1, "serves after about 95 s (load time measured)"),
        (Cost(MEASURED, NEVER, NEVER, NEVER, 0), 0, ""),
        (Cost(LoadTime(None, Basis.UNKNOWN), None, NEVER, NEVER, 1), 1, ""),
        (
            Cost(LoadTime(9.0, Basis.GIVEN), Span(9, 29), Span(9, 29), NEVER, 0),
            1,
            "without service for 9 s to 29 s (load time from its file)",
        ),
        (Cost(MEASURED, Span(1, 1), NEVER, Span(300, 300), 1), 3, "with less capacity for 5 min (load time measured)"),
        (
            Cost(LoadTime(None, Basis.UNKNOWN), None, None, NEVER, 0),
            1,
            "how long it is without service is not known: its load time has not been measured yet",
        ),
        (
            Cost(MEASURED, NEVER, None, NEVER, 0),
            0,
            "how long it is without service is not known: it starts with the next request",
        ),
    ],
)
def test_what_a_restart_costs(cost: Cost | None, replicas: int, text: str) -> None:
    action = samples.action(ActionKind.UPDATE, "a", Impact.ROLLING_RESTART, replicas=(1, replicas))
    assert cost_words.time_cost(replace(action, cost=cost)) == text
    if text.startswith("serves after about 95 s "):
        waiting = replace(action, cost=cost, awaits={"l4": 1})
        assert cost_words.time_cost(waiting) == text.replace("95 s ", "95 s once its nodes are there ")
    in_place = samples.action(ActionKind.UPDATE, "a", Impact.IN_PLACE)
    assert cost_words.time_cost(replace(in_place, cost=cost)) == ""


def test_a_time_limit_says_what_it_rests_on() -> None:
    action = samples.action(ActionKind.CREATE, "a", Impact.CREATE)
    assert cost_words.time_limit(action) == "20 min (default)"
    written = replace(action, timeout_s=30, timeout_basis=LimitBasis.WRITTEN)
    assert cost_words.time_limit(written) == "30 s (as its file says)"
    assert cost_words.load_time(action) == "not measured yet"
    assert cost_words.load_time(replace(action, cost=Cost(MEASURED, NEVER, NEVER, NEVER, 0))) == "95 s (measured)"


def test_without_gpus_there_are_no_gpu_hours() -> None:
    assert cost_words.gpu_rows(None) == []
    assert cost_words.gpu_rows(samples.plan().daily_cost) == []
