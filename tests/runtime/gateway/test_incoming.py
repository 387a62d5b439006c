"""A client's request: read once, refused in time, passed on without what is nobody else's business."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.gateway.errors import GatewayError
from runtime.gateway.incoming import parse, passed_on, read_body, request_id, write

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def read(content: tuple[bytes, ...], limit: int, headers: Any = ()) -> bytes:
    return asyncio.run(read_body(headers, pieces(*content), limit))


def test_a_body_comes_in_pieces() -> None:
    assert read((b"ab", b"", b"c"), 3) == b"abc"
    assert read((), 3) == b""


def test_a_body_over_the_limit_is_refused_when_it_comes() -> None:
    with pytest.raises(GatewayError, match="longer than 2 bytes") as raised:
        read((b"ab", b"c"), 2)
    assert raised.value.status == 413


def test_a_body_over_the_limit_is_refused_before_it_comes() -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(GatewayError) as raised:
        asyncio.run(read_body([(b"content-length", b"3")], never(), 2))
    assert raised.value.status == 413
    assert read((b"ab",), 2, [(b"content-length", b"nonsense")]) == b"ab"


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_is_written_anew_means_what_was_sent(fields: dict[str, Any]) -> None:
    fields.pop("model", None)
    assert json.loads(write(parse(json.dumps(fields).encode())[1])) == fields


def test_numbers_keep_their_kind_and_their_digits() -> None:
    sent = b'{"a":1.0,"b":1,"c":123456789012345678901234567890,"d":0.1}'
    assert write(parse(sent)[1]) == sent


@pytest.mark.parametrize("sent", [b"", b"{", b"nonsense", b'{"a": "x\ny"}', b"\xff"])
def test_what_is_not_json_is_refused(sent: bytes) -> None:
    with pytest.raises(GatewayError, match="The body is not JSON: ") as raised:
        parse(sent)
    assert raised.value.status == 400


def test_an_error_does_not_quote_the_request() -> None:
    with pytest.raises(GatewayError) as raised:
        parse(b'{"messages": "secret words" unexpected}')
    assert "secret" not in raised.value.body["error"]["message"]
    assert "unexpected" not in raised.value.body["error"]["message"]


@pytest.mark.parametrize("sent", [b"[]", b'"text"', b"null", b"3"])
def test_what_is_no_object_is_refused(sent: bytes) -> None:
    with pytest.raises(GatewayError, match="The body is not a JSON object"):
        parse(sent)


@pytest.mark.parametrize("model", [3, ["m"], {"id": "m"}, True])
def test_a_model_is_a_text(model: Any) -> None:
    with pytest.raises(GatewayError, match="`model` is not a text") as raised:
        parse(json.dumps({"model": model}).encode())
    assert raised.value.body["error"]["param"] == "model"


@pytest.mark.parametrize("sent", [b"{}", b'{"model": null}', b'{"model": ""}'])
def test_a_model_may_be_left_out(sent: bytes) -> None:
    assert parse(sent)[0] is None


def test_a_sane_request_id_is_taken() -> None:
    assert request_id([(b"x-request-id", b"a-1_b.c:2")]) == "a-1_b.c:2"


@pytest.mark.parametrize("given", [b"", b"a b", b"x" * 129, b"a\xc3\xa9", b"a\nb", b'a"'])
def test_another_request_id_is_made_anew(given: bytes) -> None:
    made = [request_id([(b"x-request-id", given)]) for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(one) == 32 and one.isalnum() for one in made)


def test_credentials_and_connections_are_not_passed_on() -> None:
    headers = [
        (b"authorization", b"Bearer secret"),
        (b"x-api-key", b"secret"),
        (b"cookie", b"secret"),
        (b"proxy-authorization", b"secret"),
        (b"host", b"gateway"),
        (b"connection", b"keep-alive"),
        (b"content-length", b"7"),
        (b"content-type", b"application/json"),
        (b"x-request-id", b"theirs"),
        (b"traceparent", b"00-1"),
    ]
    assert passed_on(headers, "ours") == [
        ["content-type", "application/json"],
        ["traceparent", "00-1"],
        ["x-request-id", "ours"],
    ]
