"""What a model may use of a service, and how much of it is used: values and arithmetic, without a clock of their own.

Use is added up in windows, the minutes and the days of UTC. Whoever counts holds totals and no lists, so that a count
that was lost comes back from whoever still knows it: of two totals of one window the higher is right.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SPANS: Mapping[str, int] = {"minute": 60, "day": 86_400}
"""Seconds of each span."""

MEASURES = ("requests", "tokens", "cost")
_PER_MILLION = 1e-6

Used = dict[str, tuple[int, dict[str, float]]]
"""By span, the number of the window and what was used in it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of one measure in one span."""

    measure: str
    span: str
    most: float

    def __str__(self) -> str:
        return f"{self.most:g} {self.measure} a {self.span}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit that is reached, and the seconds until its window ends."""

    limit: Limit
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one model, and what its tokens cost."""

    limits: tuple[Limit, ...]
    input_price: float = 0.0
    output_price: float = 0.0

    @classmethod
    def parse(cls, budget: Mapping[str, float], prices: Mapping[str, Any] | None) -> "Budget":
        """From keys such as `tokens_per_day`, and prices per million tokens."""
        found = tuple(
            Limit(measure, span, budget[key])
            for measure in MEASURES
            for span in SPANS
            if (key := f"{measure}_per_{span}") in budget
        )
        if prices is None:
            return cls(found)
        return cls(found, prices["input_per_million"] * _PER_MILLION, prices["output_per_million"] * _PER_MILLION)

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens an answer took."""
        return any(limit.measure != "requests" for limit in self.limits)

    def spent(self, prompt_tokens: int, completion_tokens: int) -> dict[str, float]:
        """What these tokens use of it."""
        cost = prompt_tokens * self.input_price + completion_tokens * self.output_price
        return {"tokens": prompt_tokens + completion_tokens, "cost": cost}


class Ledger:
    """What models have used in the present windows."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._used: dict[str, Used] = {}

    def admit(self, model: str, known: Used, limits: tuple[Limit, ...]) -> tuple[Refusal | None, Used]:
        """Count one more request of a model, or refuse it. `known` is what the asker knows to be used already. With it
        comes back what is used now.
        """
        used = self._present(model)
        self._learn(used, known)
        refusal = max(self._reached(used, limits), key=lambda each: each.retry_after_s, default=None)
        if refusal is None:
            _add(used, {"requests": 1})
        return refusal, used

    def add(self, model: str, known: Used, amounts: Mapping[str, float]) -> Used:
        """Count what an answer took; what is used now."""
        used = self._present(model)
        self._learn(used, known)
        _add(used, amounts)
        return used

    def learn(self, model: str, known: Used) -> None:
        """Take over what somebody else has counted."""
        self._learn(self._present(model), known)

    def known(self, model: str) -> Used:
        """What is used now."""
        return self._present(model)

    def _present(self, model: str) -> Used:
        now = self._clock()
        used = self._used.setdefault(model, {})
        for span, seconds in SPANS.items():
            window = int(now // seconds)
            if span not in used or used[span][0] < window:
                used[span] = (window, dict.fromkeys(MEASURES, 0.0))
        return used

    def _learn(self, used: Used, known: Used) -> None:
        for span, (window, amounts) in known.items():
            if window == used[span][0]:
                there = used[span][1]
                for measure, amount in amounts.items():
                    there[measure] = max(there.get(measure, 0.0), amount)

    def _reached(self, used: Used, limits: tuple[Limit, ...]) -> Iterator[Refusal]:
        now = self._clock()
        for limit in limits:
            if used[limit.span][1][limit.measure] >= limit.most:
                seconds = SPANS[limit.span]
                yield Refusal(limit, seconds - now % seconds)


def _add(used: Used, amounts: Mapping[str, float]) -> None:
    for _, there in used.values():
        for measure, amount in amounts.items():
            there[measure] += amount
