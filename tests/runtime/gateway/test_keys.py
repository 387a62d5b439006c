"""Whose request it is: a key in the configuration is a digest, and reaches the models that it names."""

from hashlib import sha256
from typing import Any

import pytest

from runtime.gateway.errors import GatewayError
from runtime.gateway.keys import ANYBODY, Keys


def entry(key: str, *models: str) -> dict[str, Any]:
    return {"sha256": sha256(key.encode()).hexdigest(), "models": list(models)}


KEYS = Keys.parse({"all": entry("sk-1", "org/a", "*"), "some": entry("sk-2", "org/*", "tiny-?")})


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer sk-2")],
        [(b"authorization", b"bearer  sk-2 ")],
        [(b"x-api-key", b"sk-2")],
        [(b"authorization", b"Basic abc"), (b"x-api-key", b"sk-2")],
    ],
)
def test_a_key_is_found_by_its_digest(headers: Any) -> None:
    assert KEYS.find(headers).name == "some"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ([], "Send a key"),
        ([(b"authorization", b"Bearer ")], "Send a key"),
        ([(b"authorization", b"sk-1")], "Send a key"),
        ([(b"x-api-key", b"")], "Send a key"),
        ([(b"authorization", b"Bearer sk-3")], "not known"),
        ([(b"authorization", b"Bearer sk-1x")], "not known"),
        ([(b"authorization", b"Bearer " + sha256(b"sk-1").hexdigest().encode())], "not known"),
        ([(b"authorization", b"Bearer \xff\xfe")], "not known"),
    ],
)
def test_without_a_known_key_nobody_comes_in(headers: Any, message: str) -> None:
    with pytest.raises(GatewayError, match=message) as raised:
        KEYS.find(headers)
    assert (raised.value.status, raised.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
    assert raised.value.body["error"]["code"] == "invalid_api_key"
    assert "sk-" not in str(raised.value)


def test_where_no_key_is_configured_nobody_needs_one() -> None:
    assert Keys.parse({}).find([]) is ANYBODY
    assert ANYBODY.allows("anything")


def test_a_key_reaches_the_models_it_names() -> None:
    key = KEYS.find([(b"x-api-key", b"sk-2")])
    reached = [model for model in ("org/a", "other/a", "tiny-a", "tiny-ab", "ORG/a") if key.allows(model)]
    assert reached == ["org/a", "tiny-a"]


def test_only_a_key_for_all_models_may_ask_about_all() -> None:
    KEYS.find([(b"x-api-key", b"sk-1")]).require_all()
    ANYBODY.require_all()
    with pytest.raises(GatewayError) as raised:
        KEYS.find([(b"x-api-key", b"sk-2")]).require_all()
    assert raised.value.status == 403


@pytest.mark.parametrize("broken", [{"models": ["*"]}, {"sha256": "00"}])
def test_a_key_needs_a_digest_and_its_models(broken: Any) -> None:
    with pytest.raises(KeyError):
        Keys.parse({"a": broken})
