"""The routing table finds a model by id or alias, and says what it knows when it does not."""

from typing import Any

import pytest

from runtime.gateway.errors import GatewayError
from runtime.gateway.table import RoutingTable


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"application": name, "deployment": f"LLMServer:{name}", **more}


def table(**models: dict[str, Any]) -> RoutingTable:
    return RoutingTable.parse({"models": models})


def test_a_route_has_all_that_the_table_says() -> None:
    route = table(
        chat=entry(
            "chat",
            kind="embedding",
            aliases=["c"],
            defaults={"temperature": 0.5},
            stop=["END"],
            stop_token_ids=[7],
            description="Talks",
            url="https://example.com",
        )
    ).find("chat")
    assert (route.model_id, route.application, route.deployment) == ("chat", "chat", "LLMServer:chat")
    assert (route.defaults, route.stop, route.stop_token_ids) == ({"temperature": 0.5}, ("END",), (7,))
    assert route.metadata == {"kind": "embedding", "description": "Talks", "url": "https://example.com"}


def test_what_the_table_leaves_out_is_empty() -> None:
    route = table(chat=entry("chat")).find("chat")
    assert (route.aliases, route.defaults, route.stop, route.stop_token_ids) == ((), {}, (), ())
    assert route.metadata == {"kind": "generation"}


def test_an_alias_reaches_the_model() -> None:
    assert table(chat=entry("chat", aliases=["gpt"])).find("gpt").model_id == "chat"


def test_a_model_id_wins_over_an_alias_of_another_model() -> None:
    found = table(chat=entry("chat", aliases=["base"]), base=entry("base"))
    assert found.find("base").model_id == "base"


@pytest.mark.parametrize("user_config", [{}, {"models": None}, {"models": {}, "provenance": {"commit": "c0ffee"}}])
def test_a_table_may_be_empty_and_carry_what_others_read(user_config: dict[str, Any]) -> None:
    assert RoutingTable.parse(user_config).routes == {}


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


def test_get_answers_none_for_an_unknown_model() -> None:
    found = table(chat=entry("chat", aliases=["c"]))
    assert found.get("x") is None
    assert found.get("c") is found.get("chat")
