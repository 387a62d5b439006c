"""What runs in every test run of an enumeration, and what only `make soak` goes through."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def spread(cases: Sequence[Any], count: int) -> list[Any]:
    """So many of the cases, the first and the last among them, evenly spread."""
    if count >= len(cases):
        return list(cases)
    return [cases[round(index * (len(cases) - 1) / (count - 1))] for index in range(count)]


def sampled(cases: Iterable[Any], sample: Iterable[Any]) -> list[Any]:
    """Parameters for all cases, those outside the sample marked `soak`."""
    chosen = list(sample)
    return [case if case in chosen else pytest.param(case, marks=pytest.mark.soak) for case in cases]
