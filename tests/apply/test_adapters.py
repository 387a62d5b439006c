"""Adapters are proven as models are: by a real answer, and one that cannot be loaded goes back alone."""

from typing import Any

import httpx
import pytest

from reconciler.apply.outcome import Result
from reconciler.apply.smoke import GatewaySmoke, SmokeFailed
from reconciler.state.desired import DesiredState
from tests.support import states
from tests.support.sender import FakeSender
from tests.support.stage import Stage, staged

FR = {"id": "fr", "source": "s3://lora/fr"}
DE = {"id": "de", "source": "s3://lora/de"}
REFUSED = (
    '/v1/chat/completions answered 503: {"error": {"message": "The adapter `org/chat:de` cannot be served: there is '
    'nothing at `s3://lora/de`", "type": "service_unavailable", "param": "model", "code": "adapter_unavailable"}}'
)


def with_adapters(*adapters: dict[str, Any], replicas: int = 1) -> DesiredState:
    scaling = {"autoscaling_config": {"min_replicas": replicas, "max_replicas": 1}}
    return states.desired(
        states.model("org/chat", engine={"lora_config": {"adapters": list(adapters)}}, deployment=scaling)
    )


def asked(stage: Stage) -> list[str]:
    found = [model_id for model_id, _ in stage.smoke.asked]
    stage.smoke.asked.clear()
    return found


def test_all_adapters_of_a_new_model_are_asked() -> None:
    stage = Stage()
    outcomes = stage.apply(with_adapters(FR, DE))
    assert {outcome.result for outcome in outcomes.values()} == {Result.APPLIED}
    assert asked(stage) == ["org/chat", "org/chat:de", "org/chat:fr"]


def test_an_adapter_that_is_added_is_asked_on_the_same_replicas() -> None:
    stage = staged(with_adapters(FR))
    asked(stage)
    before = stage.ids("org--chat")
    outcomes = stage.apply(with_adapters(FR, DE))
    assert outcomes["org--chat"].message == "changed in place; answered a real request"
    assert stage.ids("org--chat") == before
    assert asked(stage) == ["org/chat", "org/chat:de"]


def test_one_from_elsewhere_is_asked_and_one_that_is_gone_is_not() -> None:
    stage = staged(with_adapters(FR, DE))
    asked(stage)
    stage.apply(with_adapters({**FR, "source": "s3://lora/fr-2"}))
    assert asked(stage) == ["org/chat", "org/chat:fr"]
    stage.apply(with_adapters())
    assert asked(stage) == []


def test_an_adapter_that_cannot_be_loaded_goes_back_alone_with_its_cause() -> None:
    stage = staged(with_adapters(FR))
    before = stage.ids("org--chat")

    def trouble(model_id: str) -> None:
        if model_id == "org/chat:de":
            raise SmokeFailed(REFUSED, settling=False)

    stage.smoke.trouble = trouble
    outcomes = stage.apply(with_adapters(FR, DE))
    assert outcomes["org--chat"].result is Result.ROLLED_BACK
    assert outcomes["org--chat"].cause is not None
    assert outcomes["org--chat"].cause.startswith("there is nothing at `s3://lora/de`")
    assert stage.ids("org--chat") == before
    [deployment] = stage.config("org--chat")["deployments"]
    assert set(deployment["user_config"]["adapters"]) == {"fr"}


def test_a_model_that_is_scaled_to_zero_is_not_woken_for_an_adapter() -> None:
    stage = staged(with_adapters(FR, replicas=0))
    asked(stage)
    assert stage.ids("org--chat") == ()
    stage.apply(with_adapters(FR, DE, replicas=0))
    assert asked(stage) == []


@pytest.mark.parametrize(("code", "settling"), [("adapter_unavailable", False), ("model_unavailable", True)])
def test_what_an_engine_could_not_load_is_not_asked_for_again(code: str, settling: bool) -> None:
    answer = httpx.Response(503, json={"error": {"message": "no", "code": code}})
    smoke = GatewaySmoke("http://gateway", sender=FakeSender(lambda _: answer))
    with pytest.raises(SmokeFailed) as raised:
        smoke.ask("org/chat:de", "generation")
    assert raised.value.settling is settling
