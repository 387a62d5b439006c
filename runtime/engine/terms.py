"""What the routing table asks of an engine because only the engine has the tokenizer.

`max_input_tokens`: a longer prompt is refused. `stop_token_sequences`: each a list of token ids, and of texts between
them; the text that they are stops the answer beside the request's own stops.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from inspect import iscoroutinefunction
from itertools import groupby
from typing import Any

from pydantic_core import from_json, to_json

_max_input_tokens: ContextVar[int | None] = ContextVar("max_input_tokens", default=None)

_STOP_FIELDS = {"/v1/messages": "stop_sequences", "/v1/responses": None}
"""The name of the field for stop strings where it is not `stop`; None: there is none."""

_RENDERERS = (
    ("online_renderer", "preprocess_chat"),
    ("online_renderer", "preprocess_cmpl"),
    ("online_renderer", "_make_request_with_harmony"),
    ("openai_serving_responses", "_make_request_with_harmony"),
)
"""Where vLLM 0.29 makes tokens of what a client sent, before anything is answered."""


class PromptTooLong(ValueError):
    """More tokens than a prompt may have. vLLM answers a ValueError with 400 and its text."""


def apply(request: Mapping[str, Any], decode: Callable[[list[int]], str]) -> Mapping[str, Any]:
    """The request with its stop strings, for this task and those that it starts. `decode` makes text of token ids."""
    terms = request.get("terms") or {}
    _max_input_tokens.set(terms.get("max_input_tokens"))
    field = _STOP_FIELDS.get(request["path"], "stop")
    stops = list(dict.fromkeys(_text(sequence, decode) for sequence in terms.get("stop_token_sequences") or ()))
    return (
        request if field is None or not any(stops) else {**request, "body": _with_stops(request["body"], field, stops)}
    )


def limit_prompts(state: Any) -> None:
    """Have vLLM's application, by its state, refuse prompts that are longer than the request at hand may have."""
    for name, method in _RENDERERS:
        owner = getattr(state, name, None)
        if owner is not None:
            setattr(owner, method, _limited(getattr(owner, method)))


def _limited(render: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(render):

        @wraps(render)
        async def rendered_async(*args: Any, **kwargs: Any) -> Any:
            found = await render(*args, **kwargs)
            _check(found)
            return found

        return rendered_async

    @wraps(render)
    def rendered(*args: Any, **kwargs: Any) -> Any:
        found = render(*args, **kwargs)
        _check(found)
        return found

    return rendered


def _check(rendered: Any) -> None:
    """Raises PromptTooLong. What is rendered are the prompts, or the conversation and its prompts."""
    limit = _max_input_tokens.get()
    if limit is None:
        return
    prompts: Iterable[Any] = rendered[1] if isinstance(rendered, tuple) else rendered
    for prompt in prompts:
        length = len(prompt.get("prompt_token_ids") or ())
        if length > limit:
            raise PromptTooLong(
                f"This model takes at most {limit} input tokens. However, your prompt has {length}. "
                "Please reduce the length of the prompt."
            )


def _text(sequence: Sequence[int | str], decode: Callable[[list[int]], str]) -> str:
    runs = ((is_text, list(items)) for is_text, items in groupby(sequence, lambda item: isinstance(item, str)))
    return "".join("".join(items) if is_text else decode(items) for is_text, items in runs)  # type: ignore[arg-type]


def _with_stops(body: bytes, field: str, stops: list[str]) -> bytes:
    try:
        fields = from_json(body, cache_strings=False)
    except ValueError:
        return body
    own = fields.get(field) if isinstance(fields, dict) else ...
    given = [own] if isinstance(own, str) else [] if own is None else own
    # What else stands there is for vLLM to refuse.
    if not isinstance(given, list):
        return body
    fields[field] = [*given, *(stop for stop in stops if stop and stop not in given)]
    return to_json(fields)
