import json

import pytest

from reconciler.apply.outcome import Outcome, Result
from reconciler.views.outcome_json import outcome_json
from reconciler.views.outcome_text import outcome_text, replicas
from reconciler.views.style import Style
from tests.support.golden import assert_golden

OUTCOMES = (
    Outcome("gateway", Result.APPLIED, "serves", (), ("g1",), 4.21),
    Outcome("acme--chat", Result.UNCHANGED, ""),
    Outcome(
        "acme--big",
        Result.ROLLED_BACK,
        "the new version did not start",
        ("old1",),
        ("old1",),
        130.0,
        "out of GPU memory: lower `gpu_memory_utilization`",
        (*(f"line {number}" for number in range(30)), "RuntimeError: \033[31mout of memory"),
    ),
)


def test_every_outcome_with_its_cause() -> None:
    assert_golden("views/outcome/some.txt", outcome_text(OUTCOMES))


def test_no_outcome_means_nothing_to_do() -> None:
    assert outcome_text(()) == "\nNothing to do: the cluster is as the registry says\n"


def test_failures_are_red() -> None:
    assert "\033[31mfailed and rolled back" in outcome_text(OUTCOMES, Style(colour=True))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (), ""),
        ((), ("a",), "new replicas a"),
        (("a",), (), "replicas stopped a"),
        (("a", "b"), ("b", "a"), "same replicas b, a"),
        (("a",), ("a", "b"), "same replicas a, new ones b"),
        (("a",), ("b",), "replicas before a, after b"),
        (("a", "b"), ("b", "c"), "replicas before a, b, after b, c"),
    ],
)
def test_replica_ids_before_and_after(before: tuple[str, ...], after: tuple[str, ...], expected: str) -> None:
    assert replicas(Outcome("a", Result.APPLIED, "", before, after)) == expected


def test_json_says_whether_anything_failed() -> None:
    assert json.loads(outcome_json(OUTCOMES[:2], "local"))["failed"] is False
    document = json.loads(outcome_json(OUTCOMES, "local"))
    assert document["failed"] is True
    assert document["outcomes"][0]["replicas_after"] == ["g1"]
