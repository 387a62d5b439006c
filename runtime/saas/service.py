"""What it takes to ask a service, whatever it speaks."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.saas.renaming import Question
from runtime.saas.settings import Settings

Part = dict[str, Any] | bytes
"""The head of an answer, `{"status": ..., "headers": [[name, value], ...]}`, which comes first, or some of its body."""


@dataclass(slots=True)
class Exchange:
    """One request, and what became known of its answer."""

    method: str
    path: str
    """As vLLM's own server names it, `/v1/...`."""
    headers: tuple[tuple[str, str], ...]
    question: Question
    settings: Settings
    deadline: float
    """By the clock of the event loop."""
    usage: Mapping[str, Any] | None = None
    """What the service says that it took; None where it says nothing."""
    characters: int = 0
    """Of the answer so far, for a service that does not count tokens."""


class Service(Protocol):
    """Asks one kind of service."""

    def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """The answer: its head, then the parts of its body. Raises `SaaSError` where there is none, or where it breaks
        off after the head.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
