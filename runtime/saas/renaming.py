"""A model's two names: clients ask for the one of the registry, and the service knows its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.saas.errors import SaaSError, bad_request

_NAME = re.compile(rb'("model"\s*:\s*)"(?:[^"\\]|\\.)*"')
_FORM_NAME = re.compile(rb'(name="?model"?[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)[^\r\n]*')


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the service gets it."""

    body: bytes
    stream: bool = False
    usage_added: bool = False
    """Whether the service is asked for the count of tokens though the client did not ask for it."""


def question(body: bytes, content_type: str, model: str, *, count_tokens: bool) -> Question:
    """The body of a request for the service's `model`.

    Raises:
        SaaSError: it is no JSON object, and no form.
    """
    if content_type.startswith("multipart/"):
        return Question(_FORM_NAME.sub(lambda match: match[1] + model.encode(), body, count=1))
    if not body:
        return Question(body)
    fields = fields_of(body)
    if "model" in fields:
        fields["model"] = model
    stream = fields.get("stream") is True
    options = fields.get("stream_options")
    adds = stream and count_tokens and not (isinstance(options, dict) and options.get("include_usage"))
    if adds:
        fields["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return Question(json.dumps(fields, ensure_ascii=False).encode(), stream, adds)


def fields_of(body: bytes) -> dict[str, Any]:
    """The fields of a JSON request.

    Raises:
        SaaSError: it is no JSON object.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON") from error
    if not isinstance(fields, dict):
        raise bad_request("The body is not a JSON object")
    return fields


def fields_of_answer(text: bytes) -> dict[str, Any]:
    """The fields of a JSON answer.

    Raises:
        SaaSError: it is no JSON object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SaaSError(502, "The service answered with something else than JSON", code="no_json") from error
    if not isinstance(found, dict):
        raise SaaSError(502, "The service answered with something else than a JSON object", code="no_json")
    return found


def answer_for(text: bytes, found: Mapping[str, Any], model: str) -> bytes:
    """An answer, `found` being what its JSON says, under the name that the client asked for; byte for byte the same but
    for that name.
    """
    if not isinstance(found.get("model"), str):
        return text
    renamed = _NAME.sub(lambda match: match[1] + json.dumps(model, ensure_ascii=False).encode(), text, count=1)
    wanted = {**found, "model": model}
    if json.loads(renamed) == wanted:
        return renamed
    # The first of that name is another one, further inside.
    return json.dumps(wanted, ensure_ascii=False).encode()
