"""The model in a form with a file, as HTTP clients write it."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from runtime.gateway.errors import GatewayError
from runtime.gateway.multipart import find_model, with_model

AUDIO = bytes(range(256)) * 20


def form(fields: dict[str, Any], audio: bytes = AUDIO, name: str = "speech.wav") -> tuple[bytes, bytes]:
    """The content type and the body of a form with a file."""
    request = httpx.Request("POST", "http://gateway", data=fields, files={"file": (name, audio, "audio/wav")})
    return request.headers["content-type"].encode(), request.read()


async def read(content_type: bytes, body: bytes) -> dict[str, Any]:
    """What a server sees in the form."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type)]}
    async with Request(scope, receive).form() as found:
        return {name: value if isinstance(value, str) else await value.read() for name, value in found.items()}


@given(audio=st.binary(max_size=2000), model=st.text("ab-/:.", min_size=1), language=st.text(max_size=20))
def test_the_model_is_found_and_replaced_and_nothing_else_changes(audio: bytes, model: str, language: str) -> None:
    content_type, body = form({"language": language, "model": model}, audio)
    assert find_model(content_type, body) == model
    field = b'name="model"\r\n\r\n%s\r\n'
    assert body.count(field % model.encode()) == 1
    expected = body.replace(field % model.encode(), field % b"org/whisper")
    assert with_model(content_type, body, "org/whisper") == expected


def test_a_server_reads_the_form_with_the_new_model() -> None:
    content_type, body = form({"model": "whisper", "language": "en"})
    seen = asyncio.run(read(content_type, with_model(content_type, body, "org/whisper")))
    assert seen == {"model": "org/whisper", "language": "en", "file": AUDIO}


def test_a_form_without_a_model_gets_one() -> None:
    content_type, body = form({"language": "en"})
    assert find_model(content_type, body) is None
    seen = asyncio.run(read(content_type, with_model(content_type, body, "org/whisper")))
    assert seen == {"model": "org/whisper", "language": "en", "file": AUDIO}


def test_a_file_of_that_name_is_not_the_model() -> None:
    content_type, body = form({"language": "en"}, b'content-disposition: form-data; name="model"', name="model")
    assert find_model(content_type, body) is None


def test_an_empty_model_is_none() -> None:
    assert find_model(*form({"model": ""})) is None


@pytest.mark.parametrize(
    "content_type", [None, b"application/json", b"multipart/form-data", b"text/plain; boundary=x", b""]
)
def test_what_is_no_form_is_refused(content_type: bytes | None) -> None:
    with pytest.raises(GatewayError, match="The body is not a form"):
        find_model(content_type, b"")
