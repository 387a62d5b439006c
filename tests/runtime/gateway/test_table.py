"""The routing table finds a model by id or alias, and says what it knows when it does not."""

from typing import Any

import pytest

from runtime.gateway.errors import GatewayError
from runtime.gateway.keys import Key
from runtime.gateway.route import Canary
from runtime.gateway.table import RoutingTable


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"application": name, "deployment": f"LLMServer:{name}", **more}


def table(**models: dict[str, Any]) -> RoutingTable:
    return RoutingTable.parse(models)


def test_a_route_has_all_that_the_table_says() -> None:
    route = table(
        chat=entry(
            "chat",
            kind="embedding",
            aliases=["c"],
            defaults={"temperature": 0.5},
            stop=["END"],
            stop_token_ids=[7],
            stop_token_sequences=[[1, 2], [3, "x"]],
            max_input_tokens=9,
            max_output_tokens=5,
            chat=False,
            canary={"model": "next", "percent": 5},
            fallback="small",
            description="Talks",
            url="https://example.com",
        )
    ).find("chat")
    assert (route.model_id, route.application, route.deployment) == ("chat", "chat", "LLMServer:chat")
    assert (route.defaults, route.stop, route.stop_token_ids) == ({"temperature": 0.5}, ("END",), (7,))
    assert (route.max_input_tokens, route.max_output_tokens, route.chat) == (9, 5, False)
    assert (route.canary, route.fallback) == (Canary("next", 5), "small")
    assert route.terms == {"max_input_tokens": 9, "stop_token_sequences": [[1, 2], [3, "x"]]}
    assert route.metadata == {"kind": "embedding", "description": "Talks", "url": "https://example.com"}


def test_what_the_table_leaves_out_is_empty() -> None:
    route = table(chat=entry("chat")).find("chat")
    assert (route.aliases, route.defaults, route.stop, route.stop_token_ids) == ((), {}, (), ())
    assert (route.max_input_tokens, route.max_output_tokens, route.chat) == (None, None, True)
    assert (route.canary, route.fallback, route.terms) == (None, None, {})
    assert route.metadata == {"kind": "generation"}


def test_an_alias_reaches_the_model() -> None:
    assert table(chat=entry("chat", aliases=["gpt"])).find("gpt").model_id == "chat"


def test_a_model_id_wins_over_an_alias_of_another_model() -> None:
    found = table(chat=entry("chat", aliases=["base"]), base=entry("base"))
    assert found.find("base").model_id == "base"


def test_a_route_without_its_application_is_refused() -> None:
    with pytest.raises(KeyError, match="application"):
        table(chat={"deployment": "LLMServer:chat"})


def test_an_unknown_model_is_a_404_that_names_the_known_ones() -> None:
    with pytest.raises(GatewayError) as raised:
        table(b=entry("b"), a=entry("a")).find("c")
    assert raised.value.status == 404
    assert raised.value.body["error"] == {
        "message": "There is no model `c`. Served: `a`, `b`",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_an_error_names_only_a_few_models() -> None:
    with pytest.raises(GatewayError, match=r"`m09` and 15 more, see /v1/models$"):
        table(**{f"m{number:02}": entry("m") for number in range(25)}).find("x")


def test_without_any_model_the_error_says_so() -> None:
    with pytest.raises(GatewayError, match="No model is served at present"):
        table().find("x")


def test_a_request_may_leave_out_the_only_model() -> None:
    assert table(chat=entry("chat")).find(None).model_id == "chat"


def test_a_request_must_say_which_of_several_models_it_means() -> None:
    with pytest.raises(GatewayError, match="Say which `model` is meant") as raised:
        table(a=entry("a"), b=entry("b")).find(None)
    assert raised.value.status == 400


def test_what_a_key_may_not_ask_for_does_not_exist_for_it() -> None:
    found = table(**{"org/a": entry("a", aliases=["x"]), "org/b": entry("b"), "other/c": entry("c")})
    key = Key("k", "", ("org/*",))
    assert found.find("x", key).model_id == "org/a"
    assert [route.model_id for route in found.allowed(key)] == ["org/a", "org/b"]
    with pytest.raises(GatewayError) as raised:
        found.find("other/c", key)
    assert raised.value.body["error"]["message"] == "There is no model `other/c`. Served: `org/a`, `org/b`"


def test_the_only_model_that_a_key_allows_need_not_be_named() -> None:
    assert table(a=entry("a"), b=entry("b")).find(None, Key("k", "", ("b",))).model_id == "b"


def attempts(chance: float, **models: dict[str, Any]) -> list[str]:
    found = table(**models)
    return [route.model_id for route in found.attempts(found.find("a"), lambda: chance)]


def test_a_canary_gets_its_share() -> None:
    models = {"a": entry("a", canary={"model": "b", "percent": 5}), "b": entry("b")}
    assert attempts(0.0499, **models) == ["b", "a"]
    assert attempts(0.05, **models) == ["a"]


def test_a_fallback_comes_last_and_once() -> None:
    models = {
        "a": entry("a", canary={"model": "b", "percent": 50}, fallback="c"),
        "b": entry("b"),
        "c": entry("c", fallback="d"),
        "d": entry("d"),
    }
    assert attempts(0.9, **models) == ["a", "c"]
    assert attempts(0.1, **models) == ["b", "a", "c"]
    models["a"]["fallback"] = "b"
    assert attempts(0.1, **models) == ["b", "a"]


def test_a_model_that_is_not_there_is_nobodys_canary_or_fallback() -> None:
    assert attempts(0.0, a=entry("a", canary={"model": "b", "percent": 50}, fallback="c")) == ["a"]
