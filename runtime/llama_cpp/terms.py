"""What the routing table asks of an engine because only the engine has the tokenizer.

`max_input_tokens`: a longer prompt is refused. `stop_token_sequences`: each a list of token ids, and of texts between
them; the text that they are stops the answer beside the request's own stops.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from runtime.llama_cpp.exchange import LocalServer, error_body

_COUNTERS = {
    "/v1/chat/completions": "/v1/chat/completions/input_tokens",
    "/v1/messages": "/v1/messages/count_tokens",
    "/v1/responses": "/v1/responses/input_tokens",
}
"""Where llama.cpp says how many tokens the prompt of a request has."""

_STOP_FIELDS: Mapping[str, str | None] = {"/v1/messages": "stop_sequences", "/v1/responses": None}
"""The name of the field for stop strings where it is not `stop`; None: there is none."""


class TermsRefused(Exception):
    """A request that breaks the terms."""

    def __init__(self, message: str) -> None:
        """`message` is for the client."""
        super().__init__(message)
        self.head: dict[str, Any] = {"status": 400, "headers": [["content-type", "application/json"]]}
        self.body = error_body(400, message)


async def apply(request: Mapping[str, Any], server: LocalServer) -> Mapping[str, Any]:
    """The request with what the terms add to it.

    Raises:
        TermsRefused: its prompt is too long.
    """
    terms = request.get("terms") or {}
    if not terms:
        return request
    try:
        fields = json.loads(request["body"])
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        # What else it is, llama.cpp refuses.
        return request
    path = request["path"]
    limit = terms.get("max_input_tokens")
    if limit is not None:
        length = await _length(path, fields, server)
        if length > limit:
            raise TermsRefused(
                f"This model takes at most {limit} input tokens. However, your prompt has {length}. "
                "Please reduce the length of the prompt."
            )
    field = _STOP_FIELDS.get(path, "stop")
    stops = [await _text(sequence, server) for sequence in terms.get("stop_token_sequences") or ()]
    if field is None or not any(stops):
        return request
    own = fields.get(field)
    given = [own] if isinstance(own, str) else [] if own is None else own
    if not isinstance(given, list):
        return request
    fields[field] = list(dict.fromkeys([*given, *(stop for stop in stops if stop)]))
    return {**request, "body": json.dumps(fields, ensure_ascii=False).encode()}


async def _length(path: str, fields: Mapping[str, Any], server: LocalServer) -> int:
    """Tokens of the longest prompt of a request; 0 where llama.cpp will say what is wrong with it."""
    counter = _COUNTERS.get(path)
    if counter is not None:
        status, found = await server.ask(counter, fields)
        return int(found["input_tokens"]) if status == 200 else 0
    prompts = fields.get("prompt", fields.get("input"))
    if isinstance(prompts, str) or (isinstance(prompts, list) and all(isinstance(each, int) for each in prompts)):
        prompts = [prompts]
    lengths = [await _tokens(prompt, server) for prompt in prompts] if isinstance(prompts, list) else []
    return max(lengths, default=0)


async def _tokens(prompt: Any, server: LocalServer) -> int:
    if isinstance(prompt, list):
        return len(prompt)
    status, found = await server.ask("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})
    return len(found["tokens"]) if status == 200 else 0


async def _text(sequence: Sequence[int | str], server: LocalServer) -> str:
    runs = ((is_text, list(items)) for is_text, items in groupby(sequence, lambda item: isinstance(item, str)))
    texts = [
        "".join(map(str, items)) if is_text else (await server.ask("/detokenize", {"tokens": items}))[1]["content"]
        for is_text, items in runs
    ]
    return "".join(texts)
