"""One known cause of a failure: how it shows in a log, and what to do about it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One known cause: its name, what proves it, the sentence for people and what would mend it. `{0}` in either is the
    first group of the proof that matched."""

    name: str
    proof: re.Pattern[str]
    sentence: str
    advice: str


def pattern(name: str, *, proof: str, sentence: str, advice: str) -> Pattern:
    """A cause; capitals in the proof do not count."""
    return Pattern(name, re.compile(proof, re.IGNORECASE), sentence, advice)
