"""One line of the routing table: where a model's requests go, and what they get."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SEPARATOR = ":"
"""Between the id of a model and that of its adapter, as in Ray. An adapter's id may hold more of them."""


@dataclass(frozen=True, slots=True)
class Canary:
    """Another model that answers some of the requests."""

    model_id: str
    percent: float


@dataclass(frozen=True, slots=True)
class Route:
    """One model."""

    model_id: str
    application: str
    deployment: str
    kind: str
    """`generation` or `embedding`."""
    aliases: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that a request gets where it leaves them out."""
    stop: tuple[str, ...] = ()
    """Stop strings that every request gets beside its own."""
    stop_token_ids: tuple[int, ...] = ()
    """Stop token ids that every request gets beside its own."""
    stop_token_sequences: tuple[tuple[int | str, ...], ...] = ()
    """Stops that are several tokens, or tokens and text, which the engine makes a stop string of."""
    max_input_tokens: int | None = None
    """The most tokens of a prompt; the engine counts them."""
    max_output_tokens: int | None = None
    """The most tokens that a request may ask for, and what it gets when it says nothing."""
    chat: bool = True
    """Whether conversations are answered."""
    canary: Canary | None = None
    fallback: str | None = None
    """The id of the model that answers when this one cannot."""
    package: str | None = None
    """The URI of the code that its replicas run."""
    adapter: str | None = None
    """The id of the adapter, without that of its model; None for a model."""
    is_named: bool = True
    """Whether the table names it; else only the engine knows whether there is such an adapter."""
    finds_adapters: bool = False
    """Whether the engine finds adapters that the table does not name."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What `/v1/models` says about it."""

    @property
    def base_id(self) -> str:
        """The id of the model whose deployment answers."""
        return self.model_id if self.adapter is None else self.model_id.removesuffix(f"{SEPARATOR}{self.adapter}")

    @property
    def label(self) -> str:
        """What metrics call it. An adapter that the table does not name has no label: clients must not make them up."""
        return self.model_id if self.is_named else self.base_id

    @property
    def terms(self) -> dict[str, Any]:
        """What is asked of the engine because only it has the tokenizer."""
        terms = {
            "max_input_tokens": self.max_input_tokens,
            "stop_token_sequences": [list(sequence) for sequence in self.stop_token_sequences],
        }
        return {name: value for name, value in terms.items() if value}
