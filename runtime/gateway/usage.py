"""How many tokens an answer says it took, read from its end without taking it apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

END_BYTES = 1024
"""How much of the end of an answer is looked at."""

_USAGE = re.compile(rb'(?<!\\)"usage":\s*\{')
_PROMPT = re.compile(rb'"(?:prompt|input)_tokens":\s*(\d+)')
_COMPLETION = re.compile(rb'"(?:completion|output)_tokens":\s*(\d+)')


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one request."""

    prompt: int
    completion: int

    def kinds(self) -> Iterator[tuple[str, int]]:
        """What there is any of, by kind."""
        yield from (pair for pair in (("prompt", self.prompt), ("completion", self.completion)) if pair[1] > 0)


def find_usage(end: bytes) -> Usage | None:
    """What the end of a JSON answer or of an event stream says; None when it says nothing, as most streams do."""
    starts = [match.end() for match in _USAGE.finditer(end)]
    if not starts:
        return None
    said = end[starts[-1] :]
    prompt, completion = _PROMPT.search(said), _COMPLETION.search(said)
    return Usage(int(prompt[1]) if prompt else 0, int(completion[1]) if completion else 0)
