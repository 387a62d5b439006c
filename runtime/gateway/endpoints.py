"""The paths that the gateway passes on to models: what `vllm serve` offers a client that names a model in its request.

What manages an engine (loading adapters, sleeping, profiling, dropping caches) is no client's business and not here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the gateway has to know of a path before it passes a request on."""

    chat: bool = False
    """It needs a conversation to become a prompt."""
    generates: bool = False
    """The model's defaults are filled in."""
    output_limit: tuple[str, ...] = ()
    """The names of the field that limits the answer's tokens, the one to write first."""
    stop: str | None = None
    """The name of the field for stop strings."""
    stop_token_ids: str | None = None
    """The name of the field for stop token ids."""
    multipart: bool = False
    """The request is a form with a file, not JSON."""
    repeatable: bool = True
    """Asking a second time does no harm."""


_CHAT = Endpoint(
    chat=True,
    generates=True,
    output_limit=("max_tokens", "max_completion_tokens"),
    stop="stop",
    stop_token_ids="stop_token_ids",
)
_COMPLETION = Endpoint(generates=True, output_limit=("max_tokens",), stop="stop", stop_token_ids="stop_token_ids")
_RESPONSES = Endpoint(chat=True, generates=True, output_limit=("max_output_tokens",), repeatable=False)
_MESSAGES = Endpoint(chat=True, generates=True, output_limit=("max_tokens",), stop="stop_sequences")
_PLAIN = Endpoint()
_AUDIO = Endpoint(multipart=True)

ENDPOINTS: dict[str, Endpoint] = {
    "/v1/chat/completions": _CHAT,
    "/v1/chat/completions/batch": _CHAT,
    "/v1/chat/completions/render": _CHAT,
    "/v1/completions": _COMPLETION,
    "/v1/completions/render": _COMPLETION,
    "/v1/responses": _RESPONSES,
    "/v1/messages": _MESSAGES,
    "/v1/messages/count_tokens": Endpoint(chat=True),
    "/v1/embeddings": _PLAIN,
    "/v2/embed": _PLAIN,
    "/v1/score": _PLAIN,
    "/score": _PLAIN,
    "/v1/rerank": _PLAIN,
    "/v2/rerank": _PLAIN,
    "/rerank": _PLAIN,
    "/classify": _PLAIN,
    "/pooling": _PLAIN,
    "/generative_scoring": _PLAIN,
    "/tokenize": _PLAIN,
    "/detokenize": _PLAIN,
    "/v1/audio/transcriptions": _AUDIO,
    "/v1/audio/translations": _AUDIO,
}
"""By path. All of them are asked with POST."""
